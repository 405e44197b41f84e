do $do$
begin
  if exists (select 1 from pg_attribute where attrelid = to_regclass('customer') and attname = 'active' and atttypid <> to_regtype('boolean')) then
    alter table customer alter column active type boolean using (active = 1);
  end if;
end
$do$;
