-- Rows for databases marked `staging` only.
insert into shop_setting (name, value)
values
    ('banner.text', 'This is the staging shop: nothing that is ordered here is delivered.'),
    ('payment.sandbox', 'on')
on conflict (name) do update set value = excluded.value;
