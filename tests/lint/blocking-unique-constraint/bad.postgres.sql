-- dbbuild: unless constraint customer.customer_email
alter table customer add constraint customer_email unique (email);
