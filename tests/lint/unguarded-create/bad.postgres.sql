create schema shop;
create sequence shop.number;
create extension hstore;
create materialized view shop.totals as select 1 as a;
create schema audit create table log (a int);
