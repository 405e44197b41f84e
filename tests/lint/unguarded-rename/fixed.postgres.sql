alter table if exists customer rename to client;
do $do$
begin
  if not exists (select from pg_attribute where attrelid = to_regclass('"Order"') and attname = 'number' and not attisdropped) then
    alter table "Order" rename column "No" to number;
  end if;
end
$do$;
do $do$
begin
  if not exists (select 1 from pg_enum where enumtypid = to_regtype('mood') and enumlabel = 'blue') then
    alter type mood rename value 'sad' to 'blue';
  end if;
end
$do$;
