drop trigger if exists stock_on_hand on stock_movement;
create trigger stock_on_hand
after insert or update or delete on stock_movement
for each row execute function stock_on_hand_apply();
