do $do$
begin
  if exists (select from pg_attribute where attrelid = to_regclass('customer') and attname = 'first' and not attisdropped) then
    update customer set full_name = first || ' ' || last;
  end if;
end
$do$;
alter table customer drop column if exists first, drop column if exists last;
