alter table customer add column if not exists points int;
