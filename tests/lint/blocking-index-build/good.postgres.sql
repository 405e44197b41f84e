create table if not exists customer (email text);
create index if not exists customer_email on customer (email);
