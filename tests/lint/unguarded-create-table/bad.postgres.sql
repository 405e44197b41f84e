create table customer (
  id bigint primary key -- the key
);
CREATE UNLOGGED TABLE "Order" AS SELECT 1 AS a;
create temp table draft (a int);
