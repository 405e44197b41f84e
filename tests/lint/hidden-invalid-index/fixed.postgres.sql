-- dbbuild: no-transaction
create index concurrently if not exists customer_email on customer (email);
