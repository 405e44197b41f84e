copy t from stdin;
1
\.
select 1;
-- c
select 2; -- d
