-- The order's total is the sum of its lines. A line that moves to another order changes both.
drop trigger if exists order_total_insert;
create trigger order_total_insert
after insert on order_line
begin
    update sales_order
    set total_minor = (
        select coalesce(sum(total_minor), 0) from order_line where order_id = new.order_id
    )
    where id = new.order_id;
end;

drop trigger if exists order_total_update;
create trigger order_total_update
after update on order_line
begin
    update sales_order
    set total_minor = (
        select coalesce(sum(l.total_minor), 0) from order_line l where l.order_id = sales_order.id
    )
    where id in (old.order_id, new.order_id);
end;

drop trigger if exists order_total_delete;
create trigger order_total_delete
after delete on order_line
begin
    update sales_order
    set total_minor = (
        select coalesce(sum(total_minor), 0) from order_line where order_id = old.order_id
    )
    where id = old.order_id;
end;
