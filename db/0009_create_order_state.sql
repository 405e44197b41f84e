-- The states of an order. The rows are in seed/030_lookup.sql.
create table if not exists order_state (
    code text not null,
    position integer not null,    -- the order in which people see them
    name text not null,
    constraint order_state_pkey primary key (code),
    constraint order_state_position_unique unique (position)
);
