-- Orders are listed by day.
create index if not exists sales_order_placed_at_idx on sales_order (placed_at);
