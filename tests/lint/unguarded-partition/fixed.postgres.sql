do $do$
begin
  if not exists (select 1 from pg_inherits where inhrelid = to_regclass('sale_2024') and inhparent = to_regclass('sale')) then
    alter table sale attach partition sale_2024 for values from (2024) to (2025);
  end if;
end
$do$;
do $do$
begin
  if exists (select 1 from pg_inherits where inhrelid = to_regclass('child') and inhparent = to_regclass('parent')) then
    alter table child no inherit parent;
  end if;
end
$do$;
do $do$
begin
  if exists (select 1 from pg_class where oid = to_regclass('contact') and reloftype <> 0) then
    alter table contact not of;
  end if;
end
$do$;
