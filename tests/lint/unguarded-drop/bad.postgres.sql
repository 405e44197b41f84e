drop table customer;
drop trigger stamp on customer;
