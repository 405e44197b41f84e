create table if not exists country (code text primary key, name text);
insert into country (code, name) values ('at', 'Austria') returning code;
create table if not exists note (text text);
insert into note (text) values ('it''s');
insert into note (text) select name from country;
