-- The lines of an order. The unit price is copied here: an order keeps the price of its day.
create table if not exists order_line (
    order_id bigint not null,
    number integer not null,
    sku text not null,
    quantity integer not null,
    unit_price_minor bigint not null,
    total_minor bigint generated always as (quantity * unit_price_minor) stored,
    constraint order_line_pkey primary key (order_id, number),
    constraint order_line_number_positive check (number > 0),
    constraint order_line_quantity_positive check (quantity > 0),
    constraint order_line_unit_price_not_negative check (unit_price_minor >= 0),
    constraint order_line_order_fkey foreign key (order_id)
        references sales_order (id) on delete cascade,
    constraint order_line_product_fkey foreign key (sku) references product (sku)
);

create index if not exists order_line_product_idx on order_line (sku);
