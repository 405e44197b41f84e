-- dbbuild: allow(unguarded-drop)
drop table customer;
