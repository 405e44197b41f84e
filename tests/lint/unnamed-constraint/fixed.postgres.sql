do $do$
begin
  if not exists (select from pg_constraint where conrelid = to_regclass('customer') and conname = 'customer_email_key') then
    alter table customer add constraint customer_email_key unique (email);
  end if;
end
$do$;
alter table customer drop constraint if exists customer_age_check, add constraint customer_age_check check (age > 17);
