create table if not exists booking (customer bigint);
create index if not exists booking_customer on booking (customer);
alter table booking drop constraint if exists booking_customer, add constraint booking_customer foreign key (customer) references customer;
alter table booking add column if not exists guest bigint references customer;
create index if not exists booking_guest on booking (guest);
