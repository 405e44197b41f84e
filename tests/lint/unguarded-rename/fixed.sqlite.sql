-- dbbuild: if table customer
ALTER TABLE customer RENAME TO client;
-- dbbuild: unless column client.email
ALTER TABLE client RENAME COLUMN mail TO email;
