\restrict abcDEF123
\set ON_ERROR_STOP on
select 1;
\i other.sql
\ir 'other file.sql'
select 'create table ' || name from names \gexec
\copy t from 'file.csv' csv
\connect shop
\.
\! rm -rf /
select '\d', $$\d$$, E'\\d', "\d"; -- \d
\unrestrict abcDEF123
select 2;
select 1 \
