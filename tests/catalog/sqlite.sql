-- A schema with every class of object that SQLite has.
pragma user_version = 7;
pragma application_id = 1234;
create table country (
    code text primary key collate nocase,
    name text not null default ('no, name'), -- what people say
    unique (name)
) strict, without rowid;
create table customer (
    id integer primary key autoincrement,
    full_name text not null,
    "Mixed Case" text default 'It''s',
    [bracketed] blob,
    initials text generated always as (substr(full_name, 1, 1)) virtual,
    kind text check (kind in ('person', 'company')),
    country text references country (code) on delete set null deferrable initially deferred,
    amount real default 0.1,
    seen text default (datetime('now')),
    constraint positive check (amount >= 0),
    foreign key (kind) references country
);
alter table customer add column added int default 5 check (added > 0);
create index customer_name on customer (full_name collate nocase desc, lower(kind)) where amount > 1;
create unique index customer_added on customer (added, id);
create view customers as select id, full_name from customer where kind in ('person', 'company');
create trigger touch after update of full_name on customer for each row when new.full_name <> old.full_name begin
    update customer set amount = amount + 1 where id = new.id;
end;
create trigger stop before delete on country begin select raise(abort, 'no'); end;
create trigger into_view instead of insert on customers begin insert into customer (full_name) values (new.full_name); end;
create table ordered (a int, b int);
create virtual table words using fts5 (body, tokenize = 'porter');
create virtual table boxes using rtree (id, x0, x1);
insert into country values ('DE', 'Germany'), ('FR', 'France');
insert into customer (full_name, bracketed, amount) values ('Ann', x'00ff', 1e999), ('Bob', null, 9007199254740993);
