DROP TRIGGER IF EXISTS stamp ON customer;
CREATE TRIGGER stamp BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION stamp();
drop policy if exists own on customer;
create policy own on customer using (owner = current_user);
