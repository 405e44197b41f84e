-- One row an order, as the shop's staff sees it.
drop view if exists order_overview;
create view order_overview as
select
    o.id as order_id,
    o.customer_id,
    o.placed_at,
    s.name as state,
    o.currency_code,
    o.total_minor,
    -- The same as the function format_money on PostgreSQL.
    case coalesce(c.minor_unit, 0)
        when 0 then printf('%d', o.total_minor)
        when 2 then printf('%d.%02d', o.total_minor / 100, o.total_minor % 100)
        when 3 then printf('%d.%03d', o.total_minor / 1000, o.total_minor % 1000)
        when 4 then printf('%d.%04d', o.total_minor / 10000, o.total_minor % 10000)
    end as total,
    (select count(*) from order_line l where l.order_id = o.id) as line_count,
    coalesce((select sum(p.amount_minor) from payment p where p.order_id = o.id), 0) as paid_minor
from sales_order o
join order_state s on s.code = o.order_state_code
join currency c on c.code = o.currency_code;
