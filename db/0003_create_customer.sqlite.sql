-- The SQLite half of the pair: a rowid key, and UTC time as ISO 8601 text.
create table if not exists customer (
    id integer not null primary key,
    email text not null,          -- kept in lower case, so that it is unique in any spelling
    given_name text not null,
    family_name text not null,
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    constraint customer_email_unique unique (email),
    constraint customer_email_form check (email like '%_@_%' and email = lower(email)),
    constraint customer_created_at_form
        check (created_at is strftime('%Y-%m-%dT%H:%M:%SZ', created_at))
) strict;
