-- Cases of tests/lint_truth.rs: a setup, and a statement that runs twice behind it.

-- case: create table
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create table n (a int);

-- case: create table guarded
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create table if not exists n (a int);

-- case: ctas
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create table n as select 1 as a;

-- case: select into
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
select 1 as a into n;

-- case: create index
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create index i on t (a);

-- case: create index guarded
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create index if not exists i on t (a);

-- case: unnamed index
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create index on t (a);

-- case: create view
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create view v as select a from t;

-- case: replace view
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create or replace view v as select a from t;

-- case: matview
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create materialized view m as select a from t;

-- case: function
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create function f() returns int language sql as $$ select 1 $$;

-- case: function replaced
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create or replace function f() returns int language sql as $$ select 1 $$;

-- case: procedure
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create procedure f() language sql as $$ select 1 $$;

-- case: aggregate
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create aggregate mysum (int) (sfunc = int4pl, stype = int);

-- case: type enum
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create type mood as enum ('a');

-- case: type composite
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create type pair as (a int, b int);

-- case: type range
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create type r as range (subtype = float8);

-- case: domain
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create domain d as int check (value > 0);

-- case: sequence
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create sequence sq;

-- case: schema
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create schema s;

-- case: schema with elements
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create schema s create table x (a int);

-- case: policy
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create policy p on t using (true);

-- case: rule
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create rule r as on insert to t do instead nothing;

-- case: role
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create role clerk;

-- case: publication
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create publication pub for table t;

-- case: statistics
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create statistics st on a, b from t;

-- case: text search configuration
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create text search configuration c (copy = simple);

-- case: text search dictionary
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create text search dictionary dd (template = simple);

-- case: cast
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create type mood as enum ('a');

-- case: operator
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create operator === (leftarg = int, rightarg = int, function = int4eq);

-- case: collation
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create collation co from "C";

-- case: foreign data wrapper
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create foreign data wrapper w;

-- case: operator class
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create operator class oc for type int using btree as operator 1 <, function 1 btint4cmp(int, int);

-- case: conversion
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create conversion cv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;

-- case: drop table
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
drop table u;

-- case: drop guarded
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
drop table if exists u;

-- case: rename table
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table u rename to w;

-- case: rename column
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t rename column a to c;

-- case: rename column guarded
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
do $$ begin if exists (select from information_schema.columns where table_name = 't' and column_name = 'a') then alter table t rename column a to c; end if; end $$;

-- case: add column
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t add column c int default 1;

-- case: add column guarded
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t add column if not exists c int;

-- case: drop column
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t drop column b;

-- case: set default
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t alter column a set default 3;

-- case: set not null
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t alter column a set not null;

-- case: type
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t alter column a type bigint;

-- case: type using
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t alter column a type boolean using (a = 1);

-- case: identity
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t alter column id add generated always as identity;

-- case: check
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t add constraint c check (a > 0);

-- case: check drop add
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t drop constraint if exists c, add constraint c check (a > 0);

-- case: unique
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t add constraint c unique (a);

-- case: fk
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table u add constraint c foreign key (t) references t;

-- case: unnamed check
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t add check (a > 0);

-- case: unnamed unique
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t add unique (a);

-- case: unnamed fk
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table u add foreign key (t) references t;

-- case: table if exists is no guard
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table if exists t add constraint c check (a > 0);

-- case: exclude
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t add constraint c exclude (a with =);

-- case: wrong exception
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
do $$ begin alter table t add constraint c unique (a); exception when duplicate_object then null; end $$;

-- case: right exception
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
do $$ begin alter table t add constraint c unique (a); exception when duplicate_table then null; end $$;

-- case: enable rls
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter table t enable row level security;

-- case: comment
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
comment on table t is 'x';

-- case: grant
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
grant select on t to public;

-- case: insert key
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
insert into t values (3, 3, 'z');

-- case: insert conflict
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
insert into t values (3, 3, 'z') on conflict do nothing;

-- case: insert where not exists
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
insert into t select 3, 3, 'z' where not exists (select from t where id = 3);

-- case: update constant
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
update t set b = 'x';

-- case: update increment
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
update t set a = a + 1;

-- case: update append
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
update t set b = b || '!';

-- case: update guarded
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
update t set a = a + 5 where a = 1;

-- case: update lower
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
update t set b = lower(b);

-- case: update swap
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
update t set a = id;

-- case: delete
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
delete from t where a = 1;

-- case: truncate
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
truncate u;

-- case: restart sequence fresh
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
alter sequence if exists nope increment 2;

-- case: update then drop
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
update t set b = a::text; alter table t drop column a;

-- case: create then drop
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create table n (a int); drop table n;

-- case: drop then create
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
drop table if exists n; create table n (a int);

-- case: trigger
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create or replace function tf() returns trigger language plpgsql as $$ begin return new; end $$; create trigger g before update on t for each row execute function tf();

-- case: constraint trigger
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create or replace function tf() returns trigger language plpgsql as $$ begin return new; end $$; create constraint trigger g after update on t for each row execute function tf();

-- case: event trigger
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create or replace function ef() returns event_trigger language plpgsql as $$ begin end $$; create event trigger e on ddl_command_end execute function ef();

-- case: set schema
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create schema if not exists s; alter table u set schema s;

-- case: extension
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
create extension if not exists plpgsql;

-- case: merge
create table t (id int primary key, a int, b text); create table u (id int primary key, t int); insert into t values (1, 1, 'x'), (2, 2, 'y');
-- statement
merge into t using u on t.id = u.id when not matched then do nothing;

-- case: add primary key
create table k (a int not null);
-- statement
alter table k add primary key (a);

-- case: using index
create table k (a int not null); create unique index ki on k (a);
-- statement
alter table k add constraint kc unique using index ki;

-- case: conflict without key
create table k (id bigint generated always as identity primary key, a text);
-- statement
insert into k (a) values ('x') on conflict do nothing;

-- case: insert without key
create table k (a text);
-- statement
insert into k (a) values ('it''s');

-- case: insert rows without key
create table k (a text, b int);
-- statement
insert into k (a, b) values ('x', 1), ('y', 2);

-- case: add value
create type mood as enum ('a');
-- statement
alter type mood add value 'b';

-- case: rename value
create type mood as enum ('a');
-- statement
alter type mood rename value 'a' to 'b';

-- case: add attribute
create type pair as (a int);
-- statement
alter type pair add attribute b int;

-- case: rename type
create type pair as (a int);
-- statement
alter type pair rename to couple;

-- case: domain constraint
create domain d as int;
-- statement
alter domain d add constraint c check (value > 0);

-- case: attach
create table q (a int) partition by list (a); create table q1 (a int);
-- statement
alter table q attach partition q1 for values in (1);

-- case: detach
create table q (a int) partition by list (a); create table q1 partition of q for values in (1);
-- statement
alter table q detach partition q1;

-- case: inherit
create table q (a int); create table q1 (a int);
-- statement
alter table q1 inherit q;

-- case: no inherit
create table q (a int); create table q1 () inherits (q);
-- statement
alter table q1 no inherit q;

-- case: publication add
create table t (id int primary key, a int, b text); create table u (id int primary key, t int);create publication pub;
-- statement
alter publication pub add table t;

-- case: publication set
create table t (id int primary key, a int, b text); create table u (id int primary key, t int);create publication pub;
-- statement
alter publication pub set table t;

-- case: server options
create foreign data wrapper w; create server sv foreign data wrapper w;
-- statement
alter server sv options (add host 'a');

-- case: drop constraint
create table k (a int constraint c check (a > 0));
-- statement
alter table k drop constraint c;

-- case: drop identity
create table k (a int generated always as identity);
-- statement
alter table k alter column a drop identity;

-- case: rename constraint
create table k (a int constraint c check (a > 0));
-- statement
alter table k rename constraint c to d;

-- case: restart
create sequence sq; select nextval('sq');
-- statement known: nothing drew a number in between, so this database shows no change
alter sequence sq restart with 100;

-- case: column replaced by rename
create table torn (id int primary key, a text not null, a_json json not null default '[]');
-- statement
alter table torn drop column a;
alter table torn rename column a_json to a;
-- case: column renamed away and made again
create table torn (id int primary key, a text not null);
-- statement
alter table torn rename column a to a_old;
alter table torn add column a varchar;
alter table torn add column b int;
update torn set a = a_old;
alter table torn drop column a_old;
-- case: enum made anew
create type mood as enum ('sad', 'glad'); create table person (id int primary key, mood mood); insert into person values (1, 'glad');
-- statement
create type mood_new as enum ('glad', 'calm');
alter table person alter column mood type mood_new using mood::text::mood_new;
alter type mood rename to mood_old;
alter type mood_new rename to mood;
drop type mood_old;
-- case: enum made anew without a value that is asked for
create type mood as enum ('sad', 'glad'); create table person (id int primary key, mood mood); insert into person values (1, 'sad'), (2, 'glad');
-- statement
delete from person where mood = 'sad';
create type mood_new as enum ('glad', 'calm');
alter table person alter column mood type mood_new using mood::text::mood_new;
drop type mood cascade;
alter type mood_new rename to mood;
-- case: function dropped with other arguments
create function total(a int) returns int language sql as 'select a';
-- statement
drop function total(int);
create or replace function total(a integer, b integer default 2) returns int language sql as 'select a + b';
-- case: function dropped with the same arguments
create function total(a int) returns int language sql as 'select a';
-- statement
drop function total(int);
create function total(a integer) returns int language sql as 'select a + 1';
-- case: foreign key made again under its generated name
create table owner (id int primary key); create table pet (id int primary key, owner_id int constraint pet_owner_id_fkey references owner);
-- statement
alter table pet drop constraint pet_owner_id_fkey, add foreign key (owner_id) references owner (id) on delete cascade;
-- case: constraint for the time being
create table owner (id int primary key, mail text default 'x');
-- statement
alter table owner add constraint mail_there check (mail is not null) not valid;
alter table owner validate constraint mail_there;
alter table owner alter column mail set not null;
alter table owner drop constraint mail_there;
-- case: truncate of what is referred to further down
create table owner (id int primary key); create table pet (id int primary key);
-- statement
truncate owner;
alter table pet add column owner_id int references owner (id);
-- case: key dropped for another column
create table member (team int, person int, constraint member_pkey primary key (team, person)); insert into member values (1, 1);
-- statement
alter table member drop constraint member_pkey;
alter table member add column id uuid default gen_random_uuid() primary key;
alter table member add constraint member_once unique (team, person);
-- case: key that is another one each time
create table ident (id uuid primary key);
-- statement
create table network (id uuid not null, primary key (id));
insert into network (id) values (gen_random_uuid());
-- case: unnamed index of an expression
create table word (id int primary key, name text, tags jsonb);
-- statement
create index on word (lower(name));
create index on word using gin (tags jsonb_path_ops);
create index on word ((tags ->> 'a'));
-- case: temporary column of a new table
create table owner (id int primary key, portal text); insert into owner values (1, null), (2, null);
-- statement
create table portal (id text primary key, owner_id int);
insert into portal select 'p' || id, id from owner where portal is null;
update owner set portal = p.id from portal p where p.owner_id = owner.id and owner.portal is null;
alter table portal drop column owner_id;
-- case: rows that a later trigger refuses
create table tenant (id int primary key, name text);
-- statement
insert into tenant values (1, 'internal') on conflict do nothing;
create or replace function no_internal() returns trigger language plpgsql as $$ begin if new.name = 'internal' then raise exception 'no'; end if; return new; end $$;
create or replace trigger no_internal before insert on tenant for each row execute function no_internal();
-- case: partitions go with their table
select 1;
-- statement
drop table if exists task;
create table task (id int, state text) partition by list (state);
create table task_new partition of task for values in ('new');

-- case: what is asked for moves on
create table t (a int); insert into t values (1), (2);
-- statement
update t set a = a + 1 where a in (1, 2);

-- case: a loop that counts
create table t (id serial primary key, n int);
-- statement
do $$ declare i int := 0; begin
  while i < 2 loop insert into t (n) values (i); i := i + 1; end loop;
  loop exit when i > 3; insert into t (n) values (i); i := i + 1; end loop;
end $$;

-- case: a loop over rows
create table u (id int); create table p (u int, k text); insert into u values (1), (2);
-- statement
do $$ declare r record; begin for r in select id from u loop insert into p values (r.id, 'x'); end loop; end $$;

-- case: a loop over rows that it marks
create table u (id int, done bool default false); create table p (u int, k text); insert into u values (1), (2);
-- statement
do $$ declare r record; begin
  for r in select id from u where done = false loop
    insert into p values (r.id, 'x');
    update u set done = true where id = r.id;
  end loop;
end $$;

-- case: a loop until nothing is left
create table t (id int); insert into t values (1), (2), (3);
-- statement
do $$ declare n int; begin loop
  delete from t where id in (select id from t limit 2);
  get diagnostics n = row_count;
  exit when n = 0;
end loop; end $$;

-- case: texts that are put together
create table e1 (a int); create table e2 (a int);
-- statement
do $$ declare t text; begin
  foreach t in array array['e1', 'e2'] loop
    execute format('alter table %I add column b int', t);
    execute 'create index ' || t || '_a on ' || t || ' (a)';
  end loop;
end $$;

-- case: texts that are put together, over a catalog
create table e1 (a int);
-- statement
do $$ declare t text; begin
  for t in select tablename from pg_tables where schemaname = 'public' loop
    execute format('alter table %I enable row level security', t);
    execute format('drop policy if exists p on %I', t);
    execute format('create policy p on %I using (true)', t);
    execute format('create index if not exists %I on %I (a)', t || '_a', t);
  end loop;
end $$;

-- case: a test that stays true
create table m (version bigint primary key); insert into m values (1);
-- statement
do $$ begin
  if (select to_regclass('m') is not null) then
    alter table m rename to m_old;
    create table m (line text, version bigint, primary key (line, version));
    insert into m select 'main', version from m_old;
    drop table m_old;
  end if;
end $$;

-- case: a test that its block makes false
create table t (a int, old text); create table n (a int, v text); insert into t values (1, 'x');
-- statement
do $$ begin
  if exists (select from information_schema.columns where table_name = 't' and column_name = 'old') then
    insert into n select a, old from t;
    alter table t drop column old;
  end if;
  if to_regclass('t') is not null then
    create table if not exists o (a int);
  end if;
end $$;

-- case: rows outside a partial index
create table t (id serial, code text, deleted timestamptz); create unique index on t (code) where deleted is null;
-- statement
insert into t (code, deleted) values ('a', '2021-01-01') on conflict (code) where deleted is null do nothing;

-- case: rows inside a partial index
create table t (id serial, code text, deleted timestamptz); create unique index on t (code) where deleted is null;
-- statement
insert into t (code) values ('a') on conflict do nothing;

-- case: a trigger that writes
create table t (id int primary key, s text, n int default 0); create table log (s text);
create function bump() returns trigger language plpgsql as $$ begin new.n := old.n + 1; return new; end $$;
create function note() returns trigger language plpgsql as $$ begin insert into log values (tg_op || new.id); return new; end $$;
create trigger t_n before update on t for each row execute function bump();
create trigger t_l after update on t for each row execute function note();
insert into t values (1, 'x');
-- statement
update t set s = 'y' where id = 1;

-- case: a trigger that compares
create table t (id int primary key, s text, n int default 0);
create function bump() returns trigger language plpgsql as $$ begin
  if new.s is distinct from old.s then new.n := old.n + 1; end if; return new; end $$;
create trigger t_n before update on t for each row execute function bump();
insert into t values (1, 'x');
-- statement
update t set s = 'y' where id = 1;

-- case: functions that are called
create table t (id serial primary key, n int);
-- statement
create or replace function fill() returns void language sql as $$ insert into t (n) values (1) $$;
select fill();
select lo_create(4242);
drop function fill();

-- case: a function that asks
create table t (n int primary key);
-- statement
create or replace function fill() returns void language sql as $$ insert into t (n) values (1) on conflict do nothing $$;
select fill();
drop function fill();

-- case: a language that goes
-- statement
alter language plpgsql rename to plpgsql2;

-- case: a temporary table
create table t (a int primary key);
-- statement
create temp table s (a int);
insert into s values (1);
insert into t select a from s on conflict do nothing;

-- case: cases that do not rest
create table t (s text); insert into t values ('a'), ('b');
-- statement
update t set s = case s when 'a' then 'x' else 'y' end;

-- case: cases that rest
create table t (s text, j jsonb); insert into t values ('a', '{}');
-- statement
update t set s = case when s in ('a', 'b') then 'x' else s end, j = jsonb_set(j, '{b}', '2') || '{"c": 3}'::jsonb;

-- case: an array that grows
create table t (a text[]); insert into t values ('{x}');
-- statement
update t set a = a || '{y}';

-- case: truncated, but for its sequence
create table t (id serial primary key, n text);
-- statement
truncate t;
insert into t (n) values ('a');

-- case: an index in another schema
create schema s; create table s.t (a int);
-- statement
drop index if exists t_a;
create index t_a on s.t (a);

-- case: a column that is copied and gets another type
create table t (id int primary key, at timestamp, kind text); insert into t values (1, '2024-01-01', 'a');
-- statement
alter table t add column was timestamp;
update t set was = at;
alter table t alter column at type boolean using (at is not null);

-- case: a query in parentheses
create table s (id int primary key); insert into s values (1);
create table t (id int primary key);
-- statement
insert into t (select id from s);

-- case: a query in parentheses that begins with WITH
create table s (id int primary key); insert into s values (1);
create table t (id int primary key);
-- statement
insert into t (id) (with w as (select id from s) select id from w where id > 0);

-- case: an aggregate gives a row whatever its WHERE says
create table t (id serial primary key, pos int, n text);
-- statement
insert into t (pos, n) select coalesce(max(pos), 0) + 1, 'x' from t where not exists (select from t where n = 'x');

-- case: a query of its own under NOT EXISTS
create table t (id serial primary key, pos int, n text);
-- statement
insert into t (pos, n) select (select coalesce(max(pos), 0) + 1 from t), 'x' where not exists (select from t where n = 'x');

-- case: indexes without names on the same column
create table t (a int, b int);
-- statement
create index on t (a) where b = 1;
create index on t (a) where b = 2;
create index on t (a);

-- case: an index without a name where an earlier one has it
create table t (a int, b int);
create index on t (a);
-- statement
create index on t (a) where b = 2;

-- case: a table makes room for a view of its name
create table t (a int, b int);
-- statement
alter table t rename to t_rows;
alter table t_rows rename column b to c;
create view t as select a, c as b from t_rows;

-- case: a table makes room for a view, guarded
create table t (a int);
-- statement
alter table if exists t rename to t_rows;
create or replace view t as select a from t_rows;

-- case: a column for what becomes a partition
create table part (id int not null);
-- statement
alter table part add column if not exists kind text not null default 'a';
create table if not exists whole (id int not null, kind text not null) partition by list (kind);
alter table whole attach partition part for values in ('a');

-- case: detached, changed and attached again
create table whole (id int not null, kind text not null) partition by list (kind);
create table part partition of whole for values in ('a');
-- statement
alter table whole detach partition part;
alter table part drop column kind;
alter table part add column kind text not null default 'a';
alter table part add constraint is_a check (kind = 'a');
create index part_kind on part (kind);
alter table whole attach partition part for values in ('a');

-- case: a key whose index foreign keys of other tables use
create table t (id int primary key, code text not null);
create unique index t_code on t (code);
create table u (code text references t (code));
-- statement
alter table t drop constraint if exists t_pkey;
alter table t drop column if exists id;
do $$ begin
  if to_regclass('t_code') is not null then
    alter table t add constraint t_pkey primary key using index t_code;
  end if;
end $$;

-- case: a key whose foreign keys go with it
create table t (id int primary key, v int not null default 0);
create table u (t int references t, v int not null default 0);
-- statement
alter table t drop constraint if exists t_pkey cascade;
alter table t add constraint t_pkey primary key (id, v);
alter table u add constraint u_t foreign key (t, v) references t (id, v);

-- case: a table without its partitions, made like it
create table t (id int not null, n int) partition by range (id);
create table t1 partition of t for values from (0) to (100);
insert into t values (1, 1);
-- statement
create table new_t (like t including all);
insert into new_t select * from t;
alter table t rename to old_t;
alter table new_t rename to t;
drop table old_t;
alter table t alter column n set default 0;
alter table t drop constraint if exists t_n;
alter table t add column m int;

-- case: a view put back from a text in a variable
create table t (s text);
create type k as enum ('a');
create view v as select 'a'::k as s;
-- statement
do $$
declare was text; run text;
begin
  was := pg_get_viewdef('v');
  drop view v;
  run := format('create view v as %s', was);
  execute run;
end $$;

-- case: a view put back from a text that nothing executes
create view v as select 1 as s;
-- statement
do $$
declare run text;
begin
  drop view v;
  run := format('create view v as %s', 'select 1');
end $$;

-- case: return where the table is not there
create table t (id int, b text);
-- statement
do $$ begin
  if not exists (select 1 from pg_tables where tablename = 't') then return; end if;
  insert into t values (1, 'a');
end $$;

-- case: return where the row is there
create table t (id int, b text);
-- statement
do $$ begin
  if exists (select 1 from t where id = 1) then
    return;
  end if;
  insert into t values (1, 'a');
end $$;

-- case: return where the relation is not there
create table t (id int, b text);
-- statement
do $$ begin
  if to_regclass('t') is null then return; end if;
  insert into t values (1, 'a');
end $$;

-- case: a type that takes nothing over
create table t (a int, b int); insert into t values (1, 1);
-- statement
alter table t alter column a type text using (null);
alter table t alter column b type boolean using false;

-- case: seconds become milliseconds below a bound
create table t (id int primary key, ts bigint); insert into t values (1, 1700000000);
-- statement
update t set ts = ts * 1000 where ts < 100000000000;

-- case: a sum below a bound goes on
create table t (id int primary key, n int); insert into t values (1, 1);
-- statement
update t set n = n * 10 where n < 1000;

-- case: a prefix that the pattern asks for
create table t (a text); insert into t values ('/x');
-- statement
update t set a = '/api' || a where a like '/%';

-- case: keys set and taken out
create table t (j jsonb); insert into t values ('{"a": 1, "old": 2}');
-- statement
update t set j = (j || jsonb_build_object('v', 2)) - 'old';
update t set j = j || '{"w": 3}'::jsonb - 'x' - 'y';

-- case: another key of the same document
create table t (j jsonb); insert into t values ('{"a": 1}');
-- statement
update t set j = jsonb_set(j, '{b}', j -> 'a');

-- case: the same key of the same document
create table t (j jsonb); insert into t values ('{"a": {"b": 1}}');
-- statement
update t set j = jsonb_set(j, '{a,c}', j -> 'a');

-- case: else behind a test that stays true
create table t (id int, b text); insert into t values (1,'a');
-- statement
do $$ begin
  if exists (select 1 from t where id = 1) then null; else raise notice 'x'; end if;
  if to_regclass('nothere') is not null then null; else insert into t values (2, 'b'); end if;
end $$;

-- case: else behind a test that stays true, insert in then
create table t (id int, b text); insert into t values (1,'a'); create table u (a int);
-- statement
do $$ begin
  if exists (select 1 from t where id = 1) then insert into u values (1); else insert into u values (2); end if;
end $$;

-- case: else behind a test that stays false
create table t (id int, b text); create table u (a int);
-- statement
do $$ begin
  if exists (select 1 from t where id = 1) then insert into u values (1); else insert into u values (2); end if;
end $$;

-- case: elsif
create table t (id int, b text); create table u (a int);
-- statement
do $$ begin
  if exists (select 1 from t where id = 1) then insert into u values (1);
  elsif not exists (select 1 from t where id = 2) then insert into u values (2); else insert into u values (3); end if;
end $$;

-- case: else of a test that becomes true
create table u (a int);
-- statement
do $$ begin
  if exists (select 1 from u where a = 1) then null; else insert into u values (1); end if;
end $$;

-- case: else of not exists
create table u (a int);
-- statement
do $$ begin
  if not exists (select 1 from u where a = 1) then insert into u values (1); else update u set a = a + 0 where a = 1; end if;
end $$;

-- case: cte update with a where
create table t (id int primary key, n int, done boolean default false); insert into t values (1, 1); create table log (id int primary key);
-- statement
with up as (update t set n = n + 1 where id = 1 returning id) select * from up;

-- case: cte update with a guard
create table t (id int primary key, n int, done boolean default false); insert into t values (1, 1);
-- statement
with up as (update t set n = n + 1, done = true where not done returning id) select * from up;

-- case: cte feeds update
create table t (id int primary key, n int); insert into t values (1, 1); 
-- statement
with x as (select id from t where id = 1) update t set n = t.n + 1 from x where x.id = t.id;

-- case: cte feeds update to rest
create table t (id int primary key, n int); insert into t values (1, 1); 
-- statement
with x as (select id from t where n = 1) update t set n = t.n + 1 from x where x.id = t.id;

-- case: cte feeds update by null
create table t (id int primary key, n int, k int); insert into t values (1, 1, null); 
-- statement
with x as (select id, row_number() over () as r from t where k is null) update t set k = (select coalesce(max(k),0) from t) + x.r from x where x.id = t.id;

-- case: nulls not distinct
create table t (a int, b int, unique nulls not distinct (a));
-- statement
insert into t values (null, 1) on conflict (a) do nothing;

-- case: nulls distinct
create table t (a int, b int, unique (a));
-- statement
insert into t values (null, 1) on conflict (a) do nothing;

-- case: nulls not distinct index
create table t (a int, b int); create unique index i on t (a) nulls not distinct;
-- statement
insert into t values (null, 1) on conflict do nothing;

-- case: regexp_replace once
create table t (a text); insert into t values ('aaa');
-- statement
update t set a = regexp_replace(a, 'a', 'b');

-- case: regexp_replace all
create table t (a text); insert into t values ('aaa');
-- statement
update t set a = regexp_replace(a, 'a', 'b', 'g');

-- case: regexp_replace anchored once
create table t (a text); insert into t values ('aaa/');
-- statement
update t set a = regexp_replace(a, '/$', '');

-- case: regexp_replace anchored once more
create table t (a text); insert into t values ('http://x');
-- statement
update t set a = regexp_replace(a, '^http:', 'https:');

-- case: starts_with
create table t (a text); insert into t values ('aaa');
-- statement
update t set a = 'x' || a where not starts_with(a, 'x');

-- case: starts_with stays
create table t (a text); insert into t values ('xaaa');
-- statement
update t set a = a || 'y' where starts_with(a, 'x');

-- case: starts_with removed
create table t (a text); insert into t values ('xaaa');
-- statement
update t set a = substr(a, 2) where starts_with(a, 'x');

-- case: where not flag
create table t (n int, flag boolean default false); insert into t values (1);
-- statement
update t set n = n + 1, flag = true where not flag;

-- case: where flag
create table t (n int, flag boolean default true); insert into t values (1);
-- statement
update t set n = n + 1, flag = false where flag and n > 0;

-- case: where not flag that is not set
create table t (n int, flag boolean default false); insert into t values (1);
-- statement
update t set n = n + 1 where not flag;

-- case: jsonb - array
create table t (j jsonb); insert into t values ('{"a":1,"b":2,"c":3}');
-- statement
update t set j = j - array['a','b'];
update t set j = j - '{a,b}'::text[];

-- case: jsonb - index
create table t (j jsonb); insert into t values ('[1,2,3]');
-- statement
update t set j = j - 0;

-- case: drop function that a later default needs
create function f() returns int language sql as $$ select 1 $$; create table t (a int);
-- statement
drop function if exists f();
create function f() returns int language sql as $$ select 2 $$;
alter table t alter column a set default f();

-- case: drop function that a later table's default needs
-- statement
drop function if exists f();
create function f() returns int language sql as $$ select 2 $$;
create table if not exists t (a int default f());

-- case: drop function that a later check needs
create table t (a int);
-- statement
drop function if exists f(int);
create function f(int) returns bool language sql as $$ select true $$;
alter table t drop constraint if exists c, add constraint c check (f(a));

-- case: drop function that a later trigger needs
create table t (a int);
-- statement
drop function if exists f();
create function f() returns trigger language plpgsql as $$ begin return new; end $$;
drop trigger if exists g on t;
create trigger g before insert on t for each row execute function f();

-- case: drop function cascade
create table t (a int);
-- statement
drop function if exists f() cascade;
create function f() returns int language sql as $$ select 2 $$;
alter table t alter column a set default f();

-- case: drop function that a later index needs
create table t (a int);
-- statement
drop function if exists f(int);
create function f(int) returns int language sql immutable as $$ select 1 $$;
create index if not exists i on t (f(a));

-- case: drop function that a later view needs
create table t (a int);
-- statement
drop function if exists f(int);
create function f(int) returns int language sql immutable as $$ select 1 $$;
create or replace view v as select f(a) from t;

-- case: drop function that a later policy needs
create table t (a int);
-- statement
drop function if exists f(int);
create function f(int) returns boolean language sql immutable as $$ select true $$;
drop policy if exists p on t;
create policy p on t using (f(a));

-- case: drop type that a later column needs
create table t (a int);
-- statement
drop type if exists ty;
create type ty as enum ('a');
alter table t add column if not exists k ty;

-- case: like including all, swapped in
create table task (id uuid not null, label text, queue text, created_at timestamptz, primary key (id, queue)) partition by list (queue);
create table task_default partition of task default;
create index task__label__idx on task (label, queue);
-- statement
CREATE TABLE new_task (LIKE task INCLUDING ALL);
INSERT INTO new_task SELECT * FROM task;
ALTER TABLE task RENAME TO old_task;
ALTER TABLE new_task RENAME TO task;
DROP TABLE old_task;
ALTER INDEX new_task_label_queue_idx RENAME TO task__label__idx;
ALTER TABLE task DROP CONSTRAINT new_task_pkey;
ALTER TABLE task ADD PRIMARY KEY (id);

-- case: an index that is made again under the old name, in a loop over rows
create table p (id int primary key); insert into p values (1); create table e_1 (a int, b int); create unique index e_1_i on e_1 (a);
-- statement
do $$ declare r record; begin
for r in select id from p loop
  execute format('alter index if exists e_%s_i rename to e_%s_old', r.id, r.id);
  execute format('create unique index if not exists e_%s_i on e_%s (b)', r.id, r.id);
end loop; end $$;

-- case: several actions, the test asks for one of them
create table t (a int, b int, constraint old_key unique (a));
-- statement
do $$ begin
  if not exists (select from pg_constraint where conname = 'a_very_long_name_of_a_constraint_that_is_longer_than_sixty_thre') then
    alter table t drop constraint old_key, add column c int, add constraint a_very_long_name_of_a_constraint_that_is_longer_than_sixty_three_bytes unique (b);
  end if;
end $$;

-- case: merge with a condition
create table t (id int primary key, v int, n int); create table s (id int, v int); insert into s values (1, 5); insert into t values (1, 1, 0);
-- statement
merge into t using s on t.id = s.id when matched and t.v < s.v then update set v = s.v, n = n + 1 when not matched then insert values (s.id, s.v, 0);

-- case: merge with a condition that stays
create table t (id int primary key, v int, n int); create table s (id int, v int); insert into s values (1, 5); insert into t values (1, 1, 0);
-- statement
merge into t using s on t.id = s.id when matched and t.v < 100 then update set n = n + 1;

-- case: rename or else add
create table t (old int);
-- statement
do $$ begin
  if exists (select 1 from information_schema.columns where table_name = 't' and column_name = 'old') then
    alter table t rename column old to new;
  else
    alter table t add column new int;
  end if;
end $$;

-- case: rename or else create
create table t_old (old int);
-- statement
do $$ begin
  if to_regclass('t_old') is not null then
    alter table t_old rename to t;
  elsif to_regclass('t') is null then
    create table t (new int);
  end if;
end $$;

-- case: role or else notice
create table t_old (old int);
-- statement
do $$ begin
  if exists (select from pg_roles where rolname = 'nobody_here') then
    grant select on t_old to nobody_here;
  else
    create role nobody_here;
    grant select on t_old to nobody_here;
  end if;
end $$;

-- case: a type made anew behind a column that is text meanwhile
create type k as enum ('a'); create table t (a k default 'a');
-- statement
alter table t alter column a set data type text;
alter table t alter column a set default 'a'::text;
drop type k;
create type k as enum ('a', 'b');
alter table t alter column a set default null;
alter table t alter column a set data type k using a::k;
alter table t alter column a set default 'b'::k;

-- case: views dropped together
create view a as select 1 as n; create view b as select n from a;
-- statement
drop view a, b;
create view a as select 2 as n;
create view b as select n from a;

-- case: a merge that never matches
create table t (id int primary key, a int); insert into t values (1, 1); create table u (id int, a int);
-- statement
merge into u using t on u.a = 99 when not matched then insert values (t.id, t.a);

-- case: an index without a name on a view that is made anew
create table t (id int primary key, a int);
-- statement
drop materialized view if exists m; create materialized view m as select a from t; create index on m (a);

-- case: a loop over all rows
create table t (id int primary key, a int, b int); insert into t values (1, 1, null);
-- statement
do $$ declare r record; begin for r in select id from t loop update t set a = a + 1 where id = r.id; end loop; end $$;

-- case: a row that brings the default of now
create table t (id int primary key, a int, at timestamptz default now());
-- statement
insert into t (id, a) values (1, 1) on conflict (id) do update set a = excluded.a, at = excluded.at;

-- case: a key that cascades before the table that refers to it
select 1;
-- statement
create table if not exists outs (a text constraint outs_pkey primary key);
alter table outs drop constraint if exists outs_pkey cascade;
alter table outs add constraint outs_pkey primary key (a);
create table if not exists ins (a text primary key, c text references outs (a));

-- case: a table that cascades before one that refers to it
select 1;
-- statement
drop table if exists outs cascade;
create table outs (a text primary key);
create table if not exists ins (a text primary key, c text references outs (a));

-- case: a table that cascades, both made anew
select 1;
-- statement
drop table if exists ins;
drop table if exists outs cascade;
create table outs (a text primary key);
create table if not exists ins (a text primary key, c text references outs (a));

-- case: two tables that cascade together
select 1;
-- statement
drop table if exists outs, ins cascade;
create table outs (a text primary key);
create table if not exists ins (a text primary key, c text references outs (a));

-- case: a table that cascades, the key added by name
select 1;
-- statement
drop table if exists outs cascade;
create table outs (a text primary key);
create table if not exists ins (a text primary key, c text);
alter table ins drop constraint if exists ins_c;
alter table ins add constraint ins_c foreign key (c) references outs;

-- case: expressions that rest
create table t (id int primary key, a int, b text, c boolean, j jsonb, l text[]); insert into t values (1, 30, 'ann lee', false, '{"k": {"x": 1}}', '{p,q}'), (2, -4, null, null, null, null);
-- statement
update t set a = case when a < 0 then 0 when a > 9 then 9 else a end, b = upper(left(b, 1)) || substr(b, 2);
update t set a = a * 1, b = b || '';
update t set c = c or a = 9;
update t set c = coalesce(c, false) and a is not null;
update t set j = case when id = 1 then j || jsonb_build_object('m', 1) else j end;
update t set j = case when j ? 'n' then j else j || '{"n": 1}' end;
update t set j = jsonb_set(j, '{k}', coalesce(j -> 'k', '{}') || '{"y": 2}');
update t set l = array(select distinct unnest(l || '{z}') order by 1);
update t set l = (select array_agg(lower(e) order by e) from unnest(l) e);

-- case: a branch that is not taken again
create table t (id int primary key, a bigint); insert into t values (1, 1600000000), (2, 1600000001000);
-- statement
update t set a = case when a < 100000000000 then a * 1000 else a end;

-- case: a branch that is taken again
create table t (id int primary key, a bigint); insert into t values (1, 5), (2, 7);
-- statement
update t set a = case when a > 4 then a + 1 else a end;

-- case: elements that are changed each time
create table t (id int primary key, l text[]); insert into t values (1, '{p,q}');
-- statement
update t set l = (select array_agg(e || '!') from unnest(l) e);

-- case: another key of a document grows
create table t (id int primary key, j jsonb); insert into t values (1, '{"k": [1]}');
-- statement
update t set j = jsonb_set(j, '{k}', (j -> 'k') || '[2]');

-- case: the largest one of a query with a name
create table t (id int primary key, a int); insert into t values (1, 5), (2, 7);
-- statement
with m as (select max(a) as top from t) update t set a = m.top + 1 from m where id = 1;

-- case: a truth of a text
create table t (id int primary key, a text, b text); insert into t values (1, '1', 'yes'), (2, '0', null);
-- statement
alter table t alter column a type boolean using (a = '1'), alter column b type boolean using case when b = 'yes' then true else false end;

-- case: a truth of a text that is none
create table t (id int primary key, a text); insert into t values (1, 'A'), (2, 'B');
-- statement
alter table t alter column a type boolean using (a = 'A');

-- case: a truth turned round
create table t (id int primary key, a text); insert into t values (1, '1'), (2, '0');
-- statement
alter table t alter column a type boolean using (a = '0');

-- case: set otherwise than inserted
create table t (id int primary key, a text default 'new', n int);
-- statement
insert into t (id) values (1) on conflict (id) do update set a = 'old';

-- case: set where nothing was inserted
create table t (id int primary key, a text default 'new', n int);
-- statement
insert into t (id) values (1) on conflict (id) do update set n = coalesce(t.n, 5);

-- case: set as inserted
create table t (id int primary key, a text default 'new', n int, b boolean default false);
-- statement
insert into t (id, n) values (1, 5) on conflict (id) do update set a = 'new', n = 5.0, b = 'f';

-- case: a merge that looks for another value
create table t (id int primary key, a text); create table s (id int primary key, a text); insert into s values (1, 'x');
-- statement
merge into t using s on t.a = s.a || '!' when not matched then insert (id, a) values (s.id + (select count(*) from t), s.a);

-- case: a merge that looks for what it inserts
create table t (id int primary key, a text); create table s (id int primary key, a text); insert into s values (1, 'X');
-- statement
merge into t using s on t.a = lower(s.a) when not matched then insert (id, a) values (id, lower(a));

-- case: a role that goes
create role gone; create table t (id int); grant select on t to gone;
-- statement
reassign owned by gone to current_user;
drop owned by gone;
drop role if exists gone;

-- case: a view that is altered and goes
create table t (id int); create view w as select id from t;
-- statement
alter view w owner to current_user;
drop view if exists w;

-- case: a schema that is renamed and made again
create schema app;
-- statement
alter schema app rename to old;
create schema app;

-- case: a directive for another constraint
create table t (id int, a int);
-- statement
-- dbbuild: unless constraint t.t_other
alter table t add constraint t_pos check (a > 0);

-- case: a directive for its constraint
create table t (id int, a int);
-- statement
-- dbbuild: unless constraint t.t_pos
alter table t add constraint t_pos check (a > 0);

-- case: a directive that nothing makes false
create table t (id int, a int); create table s (id int); insert into t values (1, 1);
-- statement
-- dbbuild: unless query select 1 from s where id = 9
update t set a = a + 1;

-- case: a directive that a row makes false
create table t (id int, a int); create table s (id int primary key); insert into t values (1, 1);
-- statement
-- dbbuild: unless query select 1 from s where id = 9
update t set a = a + 1;
insert into s values (9) on conflict do nothing;

-- case: a test for a table of a publication
create table t (id int primary key); create publication feed;
-- statement
do $$ begin
  if not exists (select from pg_publication_tables where pubname = 'feed' and tablename = 't') then
    alter publication feed add table t;
  end if;
end $$;

-- case: deleted by the beginning of their names, and by a range
create table t (id int primary key, a text);
-- statement
delete from t where a like 'gen%';
insert into t (id, a) select g, 'gen' || g from generate_series(1, 3) g;
delete from t where id between 10 and 12;
insert into t values (10, 'x'), (11, 'y');

-- case: more expressions that rest
create table t (id int primary key, a text, j jsonb, l text[], n numeric); insert into t values (1, '1', '{"k": 1}', '{p}', 1.256), (2, '+2', null, null, null);
-- statement
update t set a = '+' || ltrim(a, '+'), j = jsonb_build_object('v', 1) || coalesce(j, '{}'), l = array_append(array_remove(l, 'x'), 'x');
update t set a = case when a like '+%' then a else '+' || a end;
alter table t alter column n type numeric(12, 2) using round(n, 2), alter column a type varchar(50) using substr(a, 1, 50);
do $$ begin
  if not (select relrowsecurity from pg_class where oid = 't'::regclass) then
    alter table t enable row level security;
    create policy p on t using (true);
  end if;
end $$;

-- case: the first element of a list
create table t (id int primary key, j jsonb); insert into t values (1, '{"l": [1, 2]}');
-- statement
update t set j = j #- '{l,0}' where j ? 'l';

-- case: the same key set while it is there
create table t (id int primary key, j jsonb); insert into t values (1, '{"n": 1}');
-- statement
update t set j = jsonb_set(j, '{n}', to_jsonb((j ->> 'n')::int + 1)) where j ? 'n';

-- case: primary key on a column that is called like a type
create table w ("timestamp" timestamptz not null, n int not null);
-- statement
alter table w add primary key (timestamp, n);

-- case: a procedure whose types are those of columns, dropped with fewer arguments
create table t (id int primary key, a int, b text);
-- statement
drop procedure if exists pp(int, int);
create procedure pp(x t.id%type, y t.a%type, z t.b%type) language plpgsql as $$ begin null; end $$;

-- case: an index by the server's version in a variable
create table t (id int primary key, a int, b text);
-- statement
do $$
declare version integer;
begin
  select current_setting('server_version_num')::integer into version;
  if version >= 110000 then
    execute 'create index i on t (a) include (b)';
  else
    execute 'create index i on t (a)';
  end if;
end $$;

-- case: an index by a variable that counts
create table t (id int primary key, a int, b text);
-- statement
do $$
declare version integer := current_setting('server_version_num')::integer;
begin
  select count(*) into version from pg_indexes where indexname = 'i';
  if version < 1 then
    execute 'create index i on t (a)';
  end if;
end $$;

-- case: update of what lies ahead
create table late (id int, at timestamptz);
insert into late values (1, now() + interval '1 day'), (2, null);
-- statement
update late set at = now() where at > now() and id = 1;

-- case: rows moved, and marked by an update
create table chart (id int, type text, category text); create table filter (chart int, filter text);
insert into chart values (1, 'gauge', 'a'), (2, 'gauge', null), (3, 'pie', 'b');
-- statement
insert into filter (chart, filter) select c.id, c.category from chart c where c.type = 'gauge' and c.category is not null;
update chart set category = null where type = 'gauge' and category is not null;

-- case: rows moved, marked and given back
create table chart (id int, type text, category text); create table filter (chart int, filter text);
insert into chart values (1, 'gauge', 'a'), (2, 'gauge', null), (3, 'pie', 'b');
-- statement
insert into filter (chart, filter) select c.id, c.category from chart c where c.type = 'gauge' and c.category is not null;
update chart set category = null where type = 'gauge' and category is not null;
update chart set category = 'c' where type = 'gauge';

-- case: rows moved, others marked
create table chart (id int, type text, category text); create table filter (chart int, filter text);
insert into chart values (1, 'gauge', 'a'), (2, 'gauge', null), (3, 'pie', 'b');
-- statement
insert into filter (chart, filter) select c.id, c.category from chart c where c.type = 'gauge' and c.category is not null;
update chart set category = null where type = 'pie' and category is not null;

-- case: a function of the script that tests
create table t (id int primary key, a int, b text);
-- statement
create or replace function once() returns void language plpgsql as $$
begin
  if not exists (select 1 from t where id = 9) then insert into t values (9); end if;
end $$;
select once();
drop function once();

-- case: type by a case of texts that keeps the rest
create type state as enum ('NEW', 'DONE'); create table job (id int primary key, state varchar(10)); insert into job values (1, 'New'), (2, 'DONE');
-- statement
alter table job alter column state type state using case state::text when 'New' then 'NEW'::state when 'Old' then 'DONE' else state::state end;

-- case: type by a case of texts without the rest
create type state as enum ('NEW', 'DONE'); create table job (id int primary key, state varchar(10)); insert into job values (1, 'New'), (2, 'Old');
-- statement
alter table job alter column state type state using case state::text when 'New' then 'NEW'::state when 'Old' then 'DONE'::state end;

-- case: a case in parentheses
create table cpu (id int, name text, level text); insert into cpu values (1, 'old', '4.4'), (2, 'old', '4.1');
-- statement
update cpu set name = (case when (name = 'old' and level >= '4.4') then 'new' else name end);

-- case: a sum in parentheses
create table cpu (id int, name text, level text); insert into cpu values (1, 'old', '4.4');
-- statement
update cpu set id = (id + 1);
