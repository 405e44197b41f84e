alter table customer add unique (email);
alter table customer add check (age > 17);
