create table if not exists customer (name text check (length(name) <= 50));
