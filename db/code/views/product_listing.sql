-- What the shop shows: products on sale with category, price and stock. Reads the views
-- category_path and current_price; nothing reads it, so dropping it first is safe anywhere.
drop view if exists product_listing;
create view product_listing as
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
