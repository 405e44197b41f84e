create table if not exists country (code text);
-- dbbuild: unless query SELECT 1 FROM country
copy country (code) from stdin;
at
\.
