-- A movement changes the goods on hand. A corrected one is a single change, so that a total
-- never drops below zero on its way.
drop trigger if exists stock_on_hand_insert;
create trigger stock_on_hand_insert
after insert on stock_movement
begin
    insert into stock (sku, warehouse_code)
    values (new.sku, new.warehouse_code)
    on conflict (sku, warehouse_code) do nothing;
    update stock set on_hand = on_hand + new.quantity
    where sku = new.sku and warehouse_code = new.warehouse_code;
end;

drop trigger if exists stock_on_hand_update;
create trigger stock_on_hand_update
after update on stock_movement
begin
    insert into stock (sku, warehouse_code)
    values (new.sku, new.warehouse_code)
    on conflict (sku, warehouse_code) do nothing;
    update stock
    set on_hand = on_hand
        + case when sku = new.sku and warehouse_code = new.warehouse_code
            then new.quantity else 0 end
        - case when sku = old.sku and warehouse_code = old.warehouse_code
            then old.quantity else 0 end
    where (sku = new.sku and warehouse_code = new.warehouse_code)
        or (sku = old.sku and warehouse_code = old.warehouse_code);
end;

drop trigger if exists stock_on_hand_delete;
create trigger stock_on_hand_delete
after delete on stock_movement
begin
    update stock set on_hand = on_hand - old.quantity
    where sku = old.sku and warehouse_code = old.warehouse_code;
end;
