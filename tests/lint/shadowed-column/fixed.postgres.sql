create table if not exists customer (id bigint, parent bigint);
alter table customer add column if not exists parent bigint references customer (id);
create table if not exists login (provider text constraint login_pkey primary key);
do $do$
begin
  if not exists (select from pg_attribute where attrelid = to_regclass('login') and attname = 'id' and not attisdropped) then
    alter table login drop constraint if exists login_pkey, add column if not exists id uuid default gen_random_uuid() primary key;
  end if;
end
$do$;
