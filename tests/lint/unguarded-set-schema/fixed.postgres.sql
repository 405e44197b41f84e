alter table if exists shop.customer set schema archive;
alter table if exists customer set schema archive;
