create table if not exists t (a char(3));
