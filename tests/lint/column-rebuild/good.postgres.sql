-- dbbuild: if query select 1 from pg_attribute where attrelid = 'customer'::regclass and attname = 'tags' and atttypid = 'text[]'::regtype begin
alter table customer add column tags_new jsonb;
update customer set tags_new = to_jsonb(tags);
alter table customer drop column tags;
alter table customer rename column tags_new to tags;
-- dbbuild: end
