-- dbbuild: unless column customer.mobile
ALTER TABLE customer ADD COLUMN mobile TEXT;

-- dbbuild: if table client
DROP TABLE client;
