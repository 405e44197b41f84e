create temp table work (a text);
copy work from stdin;
a
\.
