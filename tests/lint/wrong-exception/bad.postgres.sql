do $$
begin
  create table customer (id int);
exception when duplicate_object then
  null;
end
$$;
