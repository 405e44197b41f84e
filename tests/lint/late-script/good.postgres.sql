create table if not exists a (a int);
