-- The catalogue: a tree of categories, and products known by their stock keeping unit.
create table if not exists category (
    code text not null,
    parent_code text,
    name text not null,
    constraint category_pkey primary key (code),
    constraint category_parent_fkey foreign key (parent_code) references category (code),
    constraint category_parent_other check (parent_code <> code)
);

create index if not exists category_parent_idx on category (parent_code);

create table if not exists product (
    sku text not null,
    category_code text not null,
    tax_category_code text not null,
    name text not null,
    description text,
    weight_gram integer not null,
    state text not null default 'draft',
    constraint product_pkey primary key (sku),
    constraint product_weight_positive check (weight_gram > 0),
    constraint product_state_known check (state in ('draft', 'active', 'retired')),
    constraint product_category_fkey foreign key (category_code) references category (code),
    constraint product_tax_category_fkey foreign key (tax_category_code)
        references tax_category (code)
);

create index if not exists product_category_idx on product (category_code);
create index if not exists product_tax_category_idx on product (tax_category_code);
