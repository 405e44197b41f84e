-- A readable name for web addresses. Column and backfill belong together: one guard for both.
-- dbbuild: unless column product.slug begin
alter table product add column slug text;

update product
set slug = lower(replace(replace(name, '''', ''), ' ', '-') || '-' || sku)
where slug is null;
-- dbbuild: end

create unique index if not exists product_slug_unique on product (slug);
