do $$
begin
  begin
  create table customer (id int);
exception when duplicate_table then
  null;
end;
exception when duplicate_object then
  null;
end
$$;
