alter table if exists customer drop constraint if exists adult, add constraint adult check (age > 17);
do $do$
begin
  if not exists (select from pg_constraint where conrelid = to_regclass('customer') and conname = 'customer_email') then
    alter table customer add constraint customer_email unique (email);
  end if;
end
$do$;
do $do$
begin
  if not exists (select 1 from pg_constraint where conrelid = to_regclass('customer') and pg_get_constraintdef(oid) = format('PRIMARY KEY (%I)', 'id')) then
    alter table customer add primary key (id);
  end if;
end
$do$;
