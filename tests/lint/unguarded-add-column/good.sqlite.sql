-- dbbuild: unless column customer.email
ALTER TABLE customer ADD COLUMN email TEXT;
