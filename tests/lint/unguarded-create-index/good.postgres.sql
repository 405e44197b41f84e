create unique index if not exists customer_email on customer (email);
