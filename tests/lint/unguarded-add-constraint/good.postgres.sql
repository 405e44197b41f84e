alter table customer drop constraint if exists adult, add constraint adult check (age > 17);
-- dbbuild: unless constraint customer.customer_email
alter table customer add constraint customer_email unique (email);
