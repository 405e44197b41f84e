-- Currencies of ISO 4217. The rows are in seed/020_currency.csv.
create table if not exists currency (
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
