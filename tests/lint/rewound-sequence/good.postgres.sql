select setval('customer_id_seq', greatest((select max(id) from customer), (select last_value from customer_id_seq)));
alter sequence customer_id_seq owned by customer.id;
