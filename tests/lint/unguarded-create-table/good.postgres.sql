create table if not exists customer (id bigint primary key);
create temp table work (a int) on commit drop;
create temp table if not exists kept (a int);
do $$
begin
  if not exists (select from pg_tables where tablename = 'other') then
    create table other (a int);
  end if;
end
$$;
select 'create table in_a_string (a int);'; -- create table in_a_comment (a int);
