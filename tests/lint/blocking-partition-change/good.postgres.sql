-- dbbuild: no-transaction
-- dbbuild: if table sale_2024
alter table sale detach partition sale_2024 concurrently;
