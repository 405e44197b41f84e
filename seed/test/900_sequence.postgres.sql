-- The rows before brought their own keys: the sequences go on behind them, and never back.
select setval(s.name, greatest(s.highest, s.last_value))
from (
    select
        pg_get_serial_sequence('customer', 'id') as name,
        (select max(id) from customer) as highest,
        (select last_value from customer_id_seq) as last_value
    union all
    select
        pg_get_serial_sequence('sales_order', 'id'),
        (select max(id) from sales_order),
        (select last_value from sales_order_id_seq)
) s
where s.highest is not null;
