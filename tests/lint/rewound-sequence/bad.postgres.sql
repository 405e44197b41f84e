alter sequence customer_id_seq restart with 100;
select setval('customer_id_seq', 100);
