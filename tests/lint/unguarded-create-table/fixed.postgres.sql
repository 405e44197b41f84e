create table if not exists customer (
  id bigint primary key -- the key
);
CREATE UNLOGGED TABLE IF NOT EXISTS "Order" AS SELECT 1 AS a;
drop table if exists pg_temp.draft;
create temp table draft (a int);
