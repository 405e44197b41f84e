BEGIN;
drop table if exists customer;
COMMIT;
