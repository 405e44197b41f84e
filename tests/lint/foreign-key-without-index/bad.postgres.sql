create table if not exists booking (customer bigint);
alter table booking drop constraint if exists booking_customer, add constraint booking_customer foreign key (customer) references customer;
alter table booking add column if not exists guest bigint references customer;
