do $do$
begin
  if not exists (select 1 from pg_attribute where attrelid = to_regclass('customer') and attname = 'id' and attidentity <> '') then
    alter table customer alter column id add generated always as identity;
  end if;
end
$do$;
