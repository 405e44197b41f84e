-- dbbuild: if column customer.first begin
UPDATE customer SET full_name = first;
ALTER TABLE customer DROP COLUMN first;
-- dbbuild: end
