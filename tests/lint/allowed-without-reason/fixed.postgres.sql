-- dbbuild: allow(unguarded-drop)
drop table if exists customer;
