-- Trigger function: the order's total is the sum of its lines. A line that moves to another
-- order changes both.
create or replace function order_total_refresh()
returns trigger
language plpgsql
set search_path = public, pg_temp
as $$
begin
    if tg_op in ('UPDATE', 'DELETE') then
        update sales_order
        set total_minor = (
            select coalesce(sum(total_minor), 0) from order_line where order_id = old.order_id
        )
        where id = old.order_id;
    end if;
    if tg_op in ('INSERT', 'UPDATE') then
        update sales_order
        set total_minor = (
            select coalesce(sum(total_minor), 0) from order_line where order_id = new.order_id
        )
        where id = new.order_id;
    end if;
    return null;
end
$$;
