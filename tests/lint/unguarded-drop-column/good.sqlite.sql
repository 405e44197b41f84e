-- dbbuild: if column customer.email
ALTER TABLE customer DROP COLUMN email;
