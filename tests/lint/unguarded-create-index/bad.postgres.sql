create unique index customer_email on customer (email);
