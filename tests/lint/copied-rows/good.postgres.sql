create temp table stage (code text) on commit drop;
copy stage (code) from stdin;
at
\.
insert into country select code from stage on conflict do nothing;
copy country to '/tmp/country';
