drop trigger if exists product_slug on product;
create trigger product_slug
after insert on product
for each row
when (new.slug is null)
execute function product_slug_fill();
