alter table if exists customer add constraint adult check (age > 17);
alter table customer add constraint customer_email unique (email);
alter table customer add primary key (id);
