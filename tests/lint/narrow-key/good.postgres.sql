create table if not exists customer (id bigint primary key, age integer);
