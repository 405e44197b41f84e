-- dbbuild: unless column customer.mobile
alter table customer add column mobile text;
