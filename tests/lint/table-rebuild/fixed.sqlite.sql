-- dbbuild: unless table customer begin
CREATE TABLE customer_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO customer_new (id, name) SELECT id, upper(name) || '!' FROM customer;
DROP TABLE customer;
ALTER TABLE customer_new RENAME TO customer;
-- dbbuild: end
