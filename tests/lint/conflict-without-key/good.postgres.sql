create table if not exists country (code text primary key);
insert into country (code) values ('at') on conflict do nothing;
