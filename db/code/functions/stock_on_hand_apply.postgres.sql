-- Trigger function: a movement changes the goods on hand. A corrected one is a single change, so
-- that a total never drops below zero on its way.
create or replace function stock_on_hand_apply()
returns trigger
language plpgsql
set search_path = public, pg_temp
as $$
begin
    if tg_op in ('INSERT', 'UPDATE') then
        insert into stock (sku, warehouse_code)
        values (new.sku, new.warehouse_code)
        on conflict (sku, warehouse_code) do nothing;
    end if;
    if tg_op = 'INSERT' then
        update stock set on_hand = on_hand + new.quantity
        where sku = new.sku and warehouse_code = new.warehouse_code;
    elsif tg_op = 'DELETE' then
        update stock set on_hand = on_hand - old.quantity
        where sku = old.sku and warehouse_code = old.warehouse_code;
    else
        update stock
        set on_hand = on_hand
            + case when sku = new.sku and warehouse_code = new.warehouse_code
                then new.quantity else 0 end
            - case when sku = old.sku and warehouse_code = old.warehouse_code
                then old.quantity else 0 end
        where (sku = new.sku and warehouse_code = new.warehouse_code)
            or (sku = old.sku and warehouse_code = old.warehouse_code);
    end if;
    return null;
end
$$;
