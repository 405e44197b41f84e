do $$ begin
  create type mood as enum ('sad', 'glad');
exception when duplicate_object then null;
end $$;
-- dbbuild: unless role clerk
create role clerk;
