-- dbbuild: no-transaction
drop index concurrently if exists customer_email;
