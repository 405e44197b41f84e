create temp table work (a text) on commit drop;
copy work from stdin;
a
\.
