-- dbbuild: unless column customer.phone
ALTER TABLE customer ADD COLUMN mobile TEXT;

-- dbbuild: unless table client
DROP TABLE client;
