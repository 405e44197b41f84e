-- What the shop's staff may switch without a release; see seed/030_lookup.sql.
create table if not exists shop_setting (
    name text not null,
    value text not null,
    constraint shop_setting_pkey primary key (name)
);
