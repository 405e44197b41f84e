CREATE TABLE IF NOT EXISTS country (code TEXT PRIMARY KEY, name TEXT);
INSERT INTO country SELECT 'at', name FROM other;
CREATE TABLE IF NOT EXISTS note (text TEXT);
INSERT INTO note (text) SELECT name FROM country;
