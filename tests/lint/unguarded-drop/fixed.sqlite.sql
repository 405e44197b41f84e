DROP INDEX IF EXISTS customer_email;
-- dbbuild: if view build_status
drop view if exists build_status;
create table if not exists build_status (id integer primary key);
