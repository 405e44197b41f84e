create schema if not exists shop;
create sequence if not exists shop.number;
create extension if not exists hstore;
create materialized view if not exists shop.totals as select 1 as a;
do $do$
begin
  if not exists (select 1 from pg_namespace where nspname = 'audit') then
    create schema audit create table log (a int);
  end if;
end
$do$;
