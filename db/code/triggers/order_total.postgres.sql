drop trigger if exists order_total on order_line;
create trigger order_total
after insert or update or delete on order_line
for each row execute function order_total_refresh();
