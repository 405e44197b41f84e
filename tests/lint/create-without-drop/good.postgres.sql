DROP TRIGGER IF EXISTS stamp ON customer;
CREATE TRIGGER stamp BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION stamp();
do $$
begin
  create policy own on customer using (owner = current_user);
exception when duplicate_object then
  null;
end
$$;
