create schema if not exists shop;
create sequence if not exists shop.number;
create materialized view if not exists shop.totals as select 1 as a;
