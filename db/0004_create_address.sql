-- A customer's addresses, numbered from 1. The key holds the customer, so an order can only
-- name an address of its own customer.
create table if not exists address (
    customer_id bigint not null,
    number integer not null,
    kind text not null default 'home',
    recipient text not null,
    line1 text not null,
    line2 text,
    postal_code text,             -- not every country has them
    city text not null,
    region text,
    country_code text not null,
    constraint address_pkey primary key (customer_id, number),
    constraint address_number_positive check (number > 0),
    constraint address_kind_known check (kind in ('home', 'work')),
    constraint address_customer_fkey foreign key (customer_id)
        references customer (id) on delete cascade,
    constraint address_country_fkey foreign key (country_code) references country (code)
);

create index if not exists address_country_idx on address (country_code);
