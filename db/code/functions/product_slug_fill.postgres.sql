-- Trigger function: a product without a slug gets one from its name and its key.
create or replace function product_slug_fill()
returns trigger
language plpgsql
set search_path = public, pg_temp
as $$
begin
    update product
    set slug = lower(replace(replace(name, '''', ''), ' ', '-') || '-' || sku)
    where sku = new.sku and slug is null;
    return null;
end
$$;
