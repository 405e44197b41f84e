create table if not exists customer (id bigint, name text);
create table if not exists customer (id bigint, name text, email text);
