-- dbbuild: allow(unguarded-drp) a second run must tell
drop table if exists customer;
