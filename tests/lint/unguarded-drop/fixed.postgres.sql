drop table if exists customer;
drop trigger if exists stamp on customer;
-- dbbuild: if view build_status
drop view if exists build_status;
create table if not exists build_status (id integer primary key);
