-- dbbuild: no-transaction
drop index concurrently if exists customer_email;
create index concurrently if not exists customer_email on customer (email);
