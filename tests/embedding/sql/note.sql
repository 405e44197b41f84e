create table if not exists note (
    id integer primary key,
    tag text not null default 'plain',
    body text not null
);
