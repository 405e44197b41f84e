-- dbbuild: if table customer
ALTER TABLE customer RENAME TO client;
ALTER TABLE client RENAME COLUMN rawText TO rawtext;
