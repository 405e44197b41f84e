-- dbbuild: if table customer
ALTER TABLE customer RENAME TO client;
