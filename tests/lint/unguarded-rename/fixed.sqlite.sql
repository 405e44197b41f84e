-- dbbuild: if table customer
ALTER TABLE customer RENAME TO client;
-- dbbuild: if column client.mail
ALTER TABLE client RENAME COLUMN mail TO email;
