do $$
begin
  if not exists (select from pg_constraint where conname = 'adlut') then
    alter table customer add constraint adult check (age > 17);
  end if;
end
$$;
do $$
begin
  if not exists (select from country where code = 'at') then
    insert into country (code, name) values ('de', 'Germany');
  end if;
end
$$;
