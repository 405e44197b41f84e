INSERT OR IGNORE INTO country VALUES ('at', 'Austria');
REPLACE INTO country VALUES ('at', 'Austria');
