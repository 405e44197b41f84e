-- The price that counts today, for each product and currency.
drop view if exists current_price;
create view current_price as
select p.sku, p.currency_code, p.amount_minor, p.valid_from
from price p
where p.valid_from = (
    select max(other.valid_from)
    from price other
    where other.sku = p.sku
        and other.currency_code = p.currency_code
        and other.valid_from <= current_date
);
