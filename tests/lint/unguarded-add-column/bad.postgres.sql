alter table customer add column email text, add points int not null default 0;
