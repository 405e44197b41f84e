-- dbbuild: unless column customer.phone
ALTER TABLE customer ADD COLUMN mobile TEXT;

-- dbbuild: unless table client
DROP TABLE client;

-- dbbuild: unless query SELECT 1 FROM country WHERE code = 'at'
INSERT INTO country (code, name) VALUES ('de', 'Germany');
