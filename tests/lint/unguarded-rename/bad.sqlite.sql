ALTER TABLE customer RENAME TO client;
ALTER TABLE client RENAME COLUMN mail TO email;
