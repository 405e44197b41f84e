-- Payments of an order, as the payment provider reports them.
create table if not exists payment (
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

create index if not exists payment_order_idx on payment (order_id);
