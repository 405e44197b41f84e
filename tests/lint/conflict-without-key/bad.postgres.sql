create table if not exists note (id bigint generated always as identity primary key, text text);
insert into note (text) values ('a') on conflict do nothing;
