-- Tax by category, country and day. Rates are basis points: 810 is 8.1 %.
create table if not exists tax_category (
    code text not null,
    name text not null,
    constraint tax_category_pkey primary key (code)
);

create table if not exists tax_rate (
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

create index if not exists tax_rate_category_idx on tax_rate (tax_category_code);
