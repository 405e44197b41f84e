-- dbbuild: unless query SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('customer') AND attname = 'tags' AND atttypid = to_regtype('jsonb') begin
alter table customer add column tags_new jsonb;
update customer set tags_new = to_jsonb(tags);
alter table customer drop column tags;
alter table customer rename column tags_new to tags;
-- dbbuild: end
