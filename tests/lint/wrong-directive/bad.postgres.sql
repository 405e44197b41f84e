-- dbbuild: unless column customer.phone
alter table customer add column mobile text;
