-- dbbuild: if column customer.first
UPDATE customer SET full_name = first;
-- dbbuild: if column customer.first
ALTER TABLE customer DROP COLUMN first;
