do $$ begin
  create type order_state as enum ('open', 'paid');
exception when duplicate_object then null;
end $$;
