-- dbbuild: unless column customer.points
ALTER TABLE customer ADD COLUMN points INTEGER;
UPDATE customer SET points = 100;
