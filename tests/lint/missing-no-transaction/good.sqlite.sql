PRAGMA foreign_keys = off;
UPDATE customer SET a = 1;
PRAGMA foreign_keys = on;
