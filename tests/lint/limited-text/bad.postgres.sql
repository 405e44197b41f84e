create table if not exists customer (name varchar(50));
