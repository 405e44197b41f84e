create table if not exists a (next_number int);
