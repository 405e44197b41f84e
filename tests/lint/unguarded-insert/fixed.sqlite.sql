CREATE TABLE IF NOT EXISTS country (code TEXT PRIMARY KEY, name TEXT);
INSERT INTO country SELECT 'at', name FROM other WHERE true ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS note (text TEXT);
-- dbbuild: unless query SELECT 1 FROM note
INSERT INTO note (text) SELECT name FROM country;
