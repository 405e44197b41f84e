alter table visit set unlogged;
alter table visit set tablespace slow;
