-- Lookup rows that are short enough to read as SQL. Every statement may run again.
insert into order_state (code, position, name)
values
    ('new', 10, 'New'),
    ('paid', 20, 'Paid'),
    ('packed', 30, 'Packed'),
    ('shipped', 40, 'Shipped'),
    ('delivered', 50, 'Delivered'),
    ('returned', 60, 'Returned'),
    ('cancelled', 70, 'Cancelled')
on conflict (code) do update set position = excluded.position, name = excluded.name;

insert into tax_category (code, name)
values
    ('standard', 'Standard rate'),
    ('food', 'Food and drink'),
    ('book', 'Books and periodicals'),
    ('exempt', 'Exempt from tax')
on conflict (code) do update set name = excluded.name;

-- Settings belong to the staff once they are there: new ones appear, changed ones stay.
insert into shop_setting (name, value)
values
    ('mail.sender', 'shop@example.com'),
    ('order.free_shipping_minor', '7500'),
    ('order.return_days', '30')
on conflict (name) do nothing;
