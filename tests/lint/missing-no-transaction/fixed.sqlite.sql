-- dbbuild: no-transaction
VACUUM;
