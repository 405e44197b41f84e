CREATE TABLE IF NOT EXISTS customer (id INTEGER PRIMARY KEY);
DROP TABLE IF EXISTS cache;
CREATE TABLE cache (a TEXT);
-- dbbuild: unless table other
CREATE TABLE other (a TEXT);
