drop index if exists customer_email;
