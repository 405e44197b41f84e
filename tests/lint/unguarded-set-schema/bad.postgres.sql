alter table shop.customer set schema archive;
alter table customer set schema archive;
