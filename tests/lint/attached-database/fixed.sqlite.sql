-- dbbuild: no-transaction
ATTACH DATABASE 'other.db' AS other;
VACUUM INTO 'copy.db';
