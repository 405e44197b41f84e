drop table customer;
drop trigger stamp on customer;
drop view if exists build_status;
create table if not exists build_status (id integer primary key);
