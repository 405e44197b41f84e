do $$
begin
  if not exists (select from pg_constraint where conname = 'customer_email_key') then
    alter table customer add unique (email);
  end if;
end
$$;
