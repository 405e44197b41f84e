alter table if exists shop.customer set schema archive;
do $do$
begin
  if to_regclass('archive.customer') is null then
    alter table customer set schema archive;
  end if;
end
$do$;
