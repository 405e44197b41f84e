-- dbbuild: no-transaction
-- Orders are listed by day. Built concurrently, so that the shop goes on selling meanwhile.
create index concurrently if not exists sales_order_placed_at_idx on sales_order (placed_at);
