-- A product without a slug gets one from its name and its key.
drop trigger if exists product_slug;
create trigger product_slug
after insert on product
when new.slug is null
begin
    update product
    set slug = lower(replace(replace(name, '''', ''), ' ', '-') || '-' || sku)
    where sku = new.sku;
end;
