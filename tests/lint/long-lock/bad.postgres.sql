alter table customer add column if not exists points int;
update customer set points = 0 where points is null;
