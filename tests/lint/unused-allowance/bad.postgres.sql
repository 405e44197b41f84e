-- dbbuild: allow(unguarded-drop) it was never there
drop table if exists customer;
