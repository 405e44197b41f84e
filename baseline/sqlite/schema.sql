-- Written by dbbuild. Not to be edited.

CREATE TABLE "address" (
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
    constraint address_kind_known check (kind in ('home', 'work', 'pickup')),
    constraint address_customer_fkey foreign key (customer_id)
        references customer (id) on delete cascade,
    constraint address_country_fkey foreign key (country_code) references country (code)
);

CREATE TABLE category (
    code text not null,
    parent_code text,
    name text not null,
    constraint category_pkey primary key (code),
    constraint category_parent_fkey foreign key (parent_code) references category (code),
    constraint category_parent_other check (parent_code <> code)
);

CREATE TABLE country (
    code text not null,           -- alpha-2: 'CH'
    alpha3 text not null,         -- alpha-3: 'CHE'
    numeric_code text not null,   -- text, for its leading zeros: '036'
    name text not null,           -- English short name
    constraint country_pkey primary key (code),
    constraint country_alpha3_unique unique (alpha3),
    constraint country_numeric_code_unique unique (numeric_code),
    constraint country_code_form check (length(code) = 2 and code = upper(code)),
    constraint country_alpha3_form check (length(alpha3) = 3 and alpha3 = upper(alpha3)),
    constraint country_numeric_code_form check (length(numeric_code) = 3)
);

CREATE TABLE currency (
    code text not null,           -- 'CHF'
    numeric_code text not null,   -- '756'
    minor_unit integer,           -- decimal places; null for gold, test codes and the like
    name text not null,
    constraint currency_pkey primary key (code),
    constraint currency_numeric_code_unique unique (numeric_code),
    constraint currency_code_form check (length(code) = 3 and code = upper(code)),
    constraint currency_numeric_code_form check (length(numeric_code) = 3),
    constraint currency_minor_unit_range check (minor_unit between 0 and 4)
);

CREATE TABLE customer (
    id integer not null primary key,
    email text not null,          -- kept in lower case, so that it is unique in any spelling
    given_name text not null,
    family_name text not null,
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')), loyalty_points integer not null default 0
    constraint customer_loyalty_points_not_negative check (loyalty_points >= 0),
    constraint customer_email_unique unique (email),
    constraint customer_email_form check (email like '%_@_%' and email = lower(email)),
    constraint customer_created_at_form
        check (created_at is strftime('%Y-%m-%dT%H:%M:%SZ', created_at))
) strict;

CREATE TABLE order_line (
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

CREATE TABLE order_state (
    code text not null,
    position integer not null,    -- the order in which people see them
    name text not null,
    constraint order_state_pkey primary key (code),
    constraint order_state_position_unique unique (position)
);

CREATE TABLE payment (
    reference text not null,      -- the provider's own
    order_id bigint not null,
    method text not null,
    amount_minor bigint not null, -- in the order's currency; a refund is negative
    paid_on date not null default current_date,
    constraint payment_pkey primary key (reference),
    constraint payment_method_known check (method in ('card', 'invoice', 'transfer', 'wallet')),
    constraint payment_amount_not_zero check (amount_minor <> 0),
    constraint payment_paid_on_form check (coalesce(paid_on = date(paid_on), false)),
    constraint payment_order_fkey foreign key (order_id) references sales_order (id)
);

CREATE TABLE price (
    sku text not null,
    currency_code text not null,
    valid_from date not null,
    amount_minor bigint not null,
    constraint price_pkey primary key (sku, currency_code, valid_from),
    constraint price_amount_not_negative check (amount_minor >= 0),
    constraint price_valid_from_form check (coalesce(valid_from = date(valid_from), false)),
    constraint price_product_fkey foreign key (sku) references product (sku) on delete cascade,
    constraint price_currency_fkey foreign key (currency_code) references currency (code)
);

CREATE TABLE product (
    sku text not null,
    category_code text not null,
    tax_category_code text not null,
    name text not null,
    description text,
    weight_gram integer not null,
    state text not null default 'draft', slug text,
    constraint product_pkey primary key (sku),
    constraint product_weight_positive check (weight_gram > 0),
    constraint product_state_known check (state in ('draft', 'active', 'retired')),
    constraint product_category_fkey foreign key (category_code) references category (code),
    constraint product_tax_category_fkey foreign key (tax_category_code)
        references tax_category (code)
);

CREATE TABLE sales_order (
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

CREATE TABLE shop_setting (
    name text not null,
    value text not null,
    constraint shop_setting_pkey primary key (name)
);

CREATE TABLE stock (
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

CREATE TABLE stock_movement (
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

CREATE TABLE tax_category (
    code text not null,
    name text not null,
    constraint tax_category_pkey primary key (code)
);

CREATE TABLE tax_rate (
    country_code text not null,
    tax_category_code text not null,
    valid_from date not null,
    basis_points integer not null,
    constraint tax_rate_pkey primary key (country_code, tax_category_code, valid_from),
    constraint tax_rate_basis_points_range check (basis_points between 0 and 10000),
    -- SQLite takes any text for a date; this keeps it to the form YYYY-MM-DD.
    constraint tax_rate_valid_from_form check (coalesce(valid_from = date(valid_from), false)),
    constraint tax_rate_country_fkey foreign key (country_code) references country (code),
    constraint tax_rate_category_fkey foreign key (tax_category_code)
        references tax_category (code)
);

CREATE TABLE warehouse (
    code text not null,
    name text not null,
    country_code text not null,
    constraint warehouse_pkey primary key (code),
    constraint warehouse_country_fkey foreign key (country_code) references country (code)
);

CREATE INDEX address_country_idx on address (country_code);

CREATE INDEX category_parent_idx on category (parent_code);

CREATE INDEX order_line_product_idx on order_line (sku);

CREATE INDEX payment_order_idx on payment (order_id);

CREATE INDEX price_currency_idx on price (currency_code);

CREATE INDEX product_category_idx on product (category_code);

CREATE INDEX product_tax_category_idx on product (tax_category_code);

CREATE UNIQUE INDEX product_slug_unique on product (slug);

CREATE INDEX sales_order_shipping_idx
    on sales_order (customer_id, shipping_address);

CREATE INDEX sales_order_billing_idx
    on sales_order (customer_id, billing_address);

CREATE INDEX sales_order_state_idx on sales_order (order_state_code);

CREATE INDEX sales_order_currency_idx on sales_order (currency_code);

CREATE INDEX sales_order_placed_at_idx on sales_order (placed_at);

CREATE INDEX stock_warehouse_idx on stock (warehouse_code);

CREATE INDEX stock_movement_sku_idx on stock_movement (sku, warehouse_code);

CREATE INDEX stock_movement_warehouse_idx on stock_movement (warehouse_code);

CREATE INDEX tax_rate_category_idx on tax_rate (tax_category_code);

CREATE INDEX warehouse_country_idx on warehouse (country_code);

CREATE VIEW category_path as
with recursive path (code, path, depth) as (
    select code, name, 1
    from category
    where parent_code is null
    union all
    select child.code, path.path || ' / ' || child.name, path.depth + 1
    from category child
    join path on path.code = child.parent_code
)
select code, path, depth
from path;

CREATE VIEW current_price as
select p.sku, p.currency_code, p.amount_minor, p.valid_from
from price p
where p.valid_from = (
    select max(other.valid_from)
    from price other
    where other.sku = p.sku
        and other.currency_code = p.currency_code
        and other.valid_from <= current_date
);

CREATE VIEW customer_account as
select
    c.id as customer_id,
    c.email,
    o.currency_code,
    count(*) as order_count,
    sum(o.total_minor) as ordered_minor,
    sum(o.paid_minor) as paid_minor
from customer c
join order_overview o on o.customer_id = c.id
group by c.id, c.email, o.currency_code;

CREATE VIEW order_overview as
select
    o.id as order_id,
    o.customer_id,
    o.placed_at,
    s.name as state,
    o.currency_code,
    o.total_minor,
    -- The same as the function format_money on PostgreSQL.
    case coalesce(c.minor_unit, 0)
        when 0 then printf('%d', o.total_minor)
        when 2 then printf('%d.%02d', o.total_minor / 100, o.total_minor % 100)
        when 3 then printf('%d.%03d', o.total_minor / 1000, o.total_minor % 1000)
        when 4 then printf('%d.%04d', o.total_minor / 10000, o.total_minor % 10000)
    end as total,
    (select count(*) from order_line l where l.order_id = o.id) as line_count,
    coalesce((select sum(p.amount_minor) from payment p where p.order_id = o.id), 0) as paid_minor
from sales_order o
join order_state s on s.code = o.order_state_code
join currency c on c.code = o.currency_code;

CREATE VIEW product_listing as
select
    p.sku,
    p.slug,
    p.name,
    c.path as category,
    r.currency_code,
    r.amount_minor,
    coalesce((select sum(s.on_hand) from stock s where s.sku = p.sku), 0) as on_hand
from product p
join category_path c on c.code = p.category_code
join current_price r on r.sku = p.sku
where p.state = 'active';

CREATE TRIGGER order_total_insert
after insert on order_line
begin
    update sales_order
    set total_minor = (
        select coalesce(sum(total_minor), 0) from order_line where order_id = new.order_id
    )
    where id = new.order_id;
end;

CREATE TRIGGER order_total_update
after update on order_line
begin
    update sales_order
    set total_minor = (
        select coalesce(sum(l.total_minor), 0) from order_line l where l.order_id = sales_order.id
    )
    where id in (old.order_id, new.order_id);
end;

CREATE TRIGGER order_total_delete
after delete on order_line
begin
    update sales_order
    set total_minor = (
        select coalesce(sum(total_minor), 0) from order_line where order_id = old.order_id
    )
    where id = old.order_id;
end;

CREATE TRIGGER product_slug
after insert on product
when new.slug is null
begin
    update product
    set slug = lower(replace(replace(name, '''', ''), ' ', '-') || '-' || sku)
    where sku = new.sku;
end;

CREATE TRIGGER stock_on_hand_insert
after insert on stock_movement
begin
    insert into stock (sku, warehouse_code)
    values (new.sku, new.warehouse_code)
    on conflict (sku, warehouse_code) do nothing;
    update stock set on_hand = on_hand + new.quantity
    where sku = new.sku and warehouse_code = new.warehouse_code;
end;

CREATE TRIGGER stock_on_hand_update
after update on stock_movement
begin
    insert into stock (sku, warehouse_code)
    values (new.sku, new.warehouse_code)
    on conflict (sku, warehouse_code) do nothing;
    update stock
    set on_hand = on_hand
        + case when sku = new.sku and warehouse_code = new.warehouse_code
            then new.quantity else 0 end
        - case when sku = old.sku and warehouse_code = old.warehouse_code
            then old.quantity else 0 end
    where (sku = new.sku and warehouse_code = new.warehouse_code)
        or (sku = old.sku and warehouse_code = old.warehouse_code);
end;

CREATE TRIGGER stock_on_hand_delete
after delete on stock_movement
begin
    update stock set on_hand = on_hand - old.quantity
    where sku = old.sku and warehouse_code = old.warehouse_code;
end;
