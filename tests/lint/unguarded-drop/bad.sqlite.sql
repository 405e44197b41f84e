DROP INDEX customer_email;
drop view if exists build_status;
create table if not exists build_status (id integer primary key);
