do $$
declare
  each record;
begin
  for each in select subname from pg_subscription loop
    execute format('alter subscription %I disable', each.subname);
    execute format('alter subscription %I set (slot_name = none)', each.subname);
    execute format('drop subscription %I', each.subname);
  end loop;
end
$$;
