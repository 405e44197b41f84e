create index if not exists customer_email_idx on customer (email);
