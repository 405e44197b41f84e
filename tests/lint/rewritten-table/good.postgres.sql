create unlogged table if not exists buffer (id int);
alter table if exists buffer set logged;
