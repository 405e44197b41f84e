create table if not exists a (a int default next_number());
