-- A price counts from its day until the next one of the same product and currency.
-- Money is a whole number of the currency's minor units: 1990 is EUR 19.90, or JPY 1990.
create table if not exists price (
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

create index if not exists price_currency_idx on price (currency_code);
