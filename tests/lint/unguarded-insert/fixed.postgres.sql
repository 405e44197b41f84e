create table if not exists country (code text primary key, name text);
insert into country (code, name) values ('at', 'Austria') on conflict do nothing returning code;
create table if not exists note (text text);
insert into note (text) select 'it''s' where not exists (select 1 from note where text = 'it''s');
insert into note (text) select name from country;
