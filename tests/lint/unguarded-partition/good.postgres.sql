do $$
begin
  if not exists (select from pg_inherits where inhrelid = 'sale_2024'::regclass) then
    alter table sale attach partition sale_2024 for values from (2024) to (2025);
  end if;
end
$$;
