alter table customer add column if not exists email text, add if not exists points int not null default 0;
