create table if not exists t (a int generated always as identity);
