drop table if exists customer;
drop trigger if exists stamp on customer;
