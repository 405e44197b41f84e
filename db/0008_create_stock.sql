-- Stock is a ledger: movements say what happened, and stock.on_hand is their sum, which
-- the trigger in db/code/triggers/stock_on_hand keeps.
create table if not exists warehouse (
    code text not null,
    name text not null,
    country_code text not null,
    constraint warehouse_pkey primary key (code),
    constraint warehouse_country_fkey foreign key (country_code) references country (code)
);

create index if not exists warehouse_country_idx on warehouse (country_code);

create table if not exists stock (
    sku text not null,
    warehouse_code text not null,
    on_hand bigint not null default 0,
    reorder_level bigint not null default 0,
    constraint stock_pkey primary key (sku, warehouse_code),
    constraint stock_on_hand_not_negative check (on_hand >= 0),
    constraint stock_reorder_level_not_negative check (reorder_level >= 0),
    constraint stock_product_fkey foreign key (sku) references product (sku),
    constraint stock_warehouse_fkey foreign key (warehouse_code) references warehouse (code)
);

create index if not exists stock_warehouse_idx on stock (warehouse_code);

create table if not exists stock_movement (
    reference text not null,      -- the event behind it; one that is told twice counts once
    sku text not null,
    warehouse_code text not null,
    quantity bigint not null,     -- in is positive, out is negative
    moved_on date not null default current_date,
    constraint stock_movement_pkey primary key (reference, sku, warehouse_code),
    constraint stock_movement_quantity_not_zero check (quantity <> 0),
    constraint stock_movement_moved_on_form check (coalesce(moved_on = date(moved_on), false)),
    constraint stock_movement_product_fkey foreign key (sku) references product (sku),
    constraint stock_movement_warehouse_fkey foreign key (warehouse_code)
        references warehouse (code)
);

create index if not exists stock_movement_sku_idx on stock_movement (sku, warehouse_code);
create index if not exists stock_movement_warehouse_idx on stock_movement (warehouse_code);
