create table if not exists short (a int);
