-- dbbuild: allow(unguarded-drop) a second run must tell
drop table customer;
