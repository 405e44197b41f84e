-- What a customer has ordered, by currency. Reads the view order_overview.
drop view if exists customer_account;
create view customer_account as
select
    c.id as customer_id,
    c.email,
    o.currency_code,
    count(*) as order_count,
    sum(o.total_minor) as ordered_minor,
    sum(o.paid_minor) as paid_minor
from customer c
join order_overview o on o.customer_id = c.id
group by c.id, c.email, o.currency_code;
