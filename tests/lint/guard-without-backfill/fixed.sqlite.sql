-- dbbuild: unless column customer.points begin
ALTER TABLE customer ADD COLUMN points INTEGER;
UPDATE customer SET points = 100;
-- dbbuild: end
