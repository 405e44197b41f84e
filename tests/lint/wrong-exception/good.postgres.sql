do $$
begin
  create table customer (id int);
exception when duplicate_table then
  null;
end
$$;
