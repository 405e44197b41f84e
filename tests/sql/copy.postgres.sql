-- As pg_dump writes it.
SET statement_timeout = 0;
COPY public.customer (id, "from", note) FROM stdin;
1	it's	a;b
2	\N	$$ /* -- "
3	\\.	\.x
\.


COPY public.empty (id) FROM stdin;
\.
copy t from stdin with (format csv, header) where a > 0; -- comment
a,b
"1;","2"
\.
select pg_catalog.setval('public.customer_id_seq', 3, true);
copy t from '/tmp/stdin'; copy t from program 'cat stdin';
copy (select 1 as stdin) to stdout;
select copy from stdin;
insert into stdin values ('copy t from stdin;');
create table copy_from (stdin int);
copy copy_from from stdin;
	leading tab
  \.
\.
