create table if not exists customer (a int, email text);
alter table customer drop column if exists email;
