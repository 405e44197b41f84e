-- One row an order, as the shop's staff sees it.
create or replace view order_overview as
select
    o.id as order_id,
    o.customer_id,
    o.placed_at,
    s.name as state,
    o.currency_code,
    o.total_minor,
    format_money(o.total_minor, coalesce(c.minor_unit, 0)) as total,
    (select count(*) from order_line l where l.order_id = o.id) as line_count,
    coalesce((select sum(p.amount_minor) from payment p where p.order_id = o.id), 0) as paid_minor
from sales_order o
join order_state s on s.code = o.order_state_code
join currency c on c.code = o.currency_code;
