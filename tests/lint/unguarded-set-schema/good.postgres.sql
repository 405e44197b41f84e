alter table if exists shop.customer set schema archive;
