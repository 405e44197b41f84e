create table if not exists customer (id bigint, parent bigint);
alter table customer add column if not exists parent bigint references customer (id);
