-- Orders: the SQLite half of the pair. The table is not called "order", which would have to be
-- quoted everywhere.
create table if not exists sales_order (
    id integer not null primary key,
    customer_id integer not null,
    shipping_address integer not null,
    billing_address integer not null,
    order_state_code text not null default 'new',
    currency_code text not null,
    total_minor integer not null default 0,   -- kept by the trigger order_total
    placed_at text not null default (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    constraint sales_order_total_not_negative check (total_minor >= 0),
    constraint sales_order_placed_at_form
        check (placed_at is strftime('%Y-%m-%dT%H:%M:%SZ', placed_at)),
    constraint sales_order_customer_fkey foreign key (customer_id) references customer (id),
    constraint sales_order_shipping_fkey foreign key (customer_id, shipping_address)
        references address (customer_id, number),
    constraint sales_order_billing_fkey foreign key (customer_id, billing_address)
        references address (customer_id, number),
    constraint sales_order_state_fkey foreign key (order_state_code)
        references order_state (code),
    constraint sales_order_currency_fkey foreign key (currency_code) references currency (code)
) strict;

create index if not exists sales_order_shipping_idx
    on sales_order (customer_id, shipping_address);
create index if not exists sales_order_billing_idx
    on sales_order (customer_id, billing_address);
create index if not exists sales_order_state_idx on sales_order (order_state_code);
create index if not exists sales_order_currency_idx on sales_order (currency_code);
