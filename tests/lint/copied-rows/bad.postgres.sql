create table if not exists country (code text);
copy country (code) from stdin;
at
\.
