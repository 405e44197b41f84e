-- dbbuild: unless query SELECT 1 FROM sqlite_schema WHERE type = 'table' AND lower(name) = 'customer' AND instr(replace(replace(replace(replace(sql, ' ', ''), char(10), ''), char(9), ''), char(13), ''), '(idINTEGERPRIMARYKEY,nameTEXTNOTNULL)') > 0 begin
CREATE TABLE customer_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO customer_new (id, name) SELECT id, upper(name) || '!' FROM customer;
DROP TABLE customer;
ALTER TABLE customer_new RENAME TO customer;
-- dbbuild: end
