create table if not exists customer (id integer primary key);
