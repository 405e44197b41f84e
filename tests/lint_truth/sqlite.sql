-- Cases of tests/lint_truth.rs: a setup, and a statement that runs twice behind it.

-- case: create table
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
CREATE TABLE n (a);

-- case: guarded
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
CREATE TABLE IF NOT EXISTS n (a);

-- case: index
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
CREATE INDEX i ON t (a);

-- case: view
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
CREATE VIEW v AS SELECT a FROM t;

-- case: trigger
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
CREATE TRIGGER g AFTER UPDATE ON t BEGIN SELECT 1; END;

-- case: drop
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
DROP TABLE u;

-- case: drop guarded
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
DROP TABLE IF EXISTS u;

-- case: add column
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
ALTER TABLE t ADD COLUMN c TEXT;

-- case: drop column
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
ALTER TABLE t DROP COLUMN b;

-- case: rename column
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
ALTER TABLE t RENAME COLUMN a TO c;

-- case: rename table
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
ALTER TABLE u RENAME TO w;

-- case: insert key
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
INSERT INTO t VALUES (3, 3, 'z');

-- case: insert ignore
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
INSERT OR IGNORE INTO t VALUES (3, 3, 'z');

-- case: replace
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
REPLACE INTO t VALUES (3, 3, 'z');

-- case: insert select key
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
INSERT INTO u SELECT id, a FROM t;

-- case: update constant
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
UPDATE t SET b = 'q';

-- case: update increment
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
UPDATE t SET a = a + 1;

-- case: update guarded
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
UPDATE t SET a = 9 WHERE a = 1;

-- case: delete
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
DELETE FROM t WHERE a = 1;

-- case: virtual table
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
CREATE VIRTUAL TABLE vt USING fts5(a);

-- case: rebuild that repeats
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
CREATE TABLE t2 (id INTEGER PRIMARY KEY, a INT NOT NULL, b TEXT); INSERT INTO t2 (id, a, b) SELECT id, a, b FROM t; DROP TABLE t; ALTER TABLE t2 RENAME TO t;

-- case: rebuild that drops a column
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
CREATE TABLE t2 (id INTEGER PRIMARY KEY, a INT); INSERT INTO t2 (id, a) SELECT id, length(b) FROM t; DROP TABLE t; ALTER TABLE t2 RENAME TO t;

-- case: rebuild with an expression
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
CREATE TABLE t2 (id INTEGER PRIMARY KEY, a INT, b TEXT NOT NULL); INSERT INTO t2 (id, a, b) SELECT id, a + 1, b FROM t; DROP TABLE t; ALTER TABLE t2 RENAME TO t;

-- case: update then drop
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
UPDATE t SET b = a; ALTER TABLE t DROP COLUMN a;

-- case: view dropped first
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
-- statement
DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT a FROM t;

-- case: insert without key
CREATE TABLE k (a TEXT);
-- statement
INSERT INTO k (a) VALUES ('it''s');

-- case: ignore without key
CREATE TABLE k (id INTEGER PRIMARY KEY, a TEXT);
-- statement
INSERT OR IGNORE INTO k (a) VALUES ('x');

-- case: table copied by a query
create table other (id integer primary key); create table reading (id integer, value text, foreign key (id) references other (id)); insert into other values (1); insert into reading values (1, 'a');
-- statement
create table reading_new as select * from reading;
drop table reading;
alter table reading_new rename to reading;
-- case: column renamed away and made again
create table torn (id integer primary key, a text not null); insert into torn values (1, 'a');
-- statement
alter table torn rename column a to a_old;
alter table torn add column a text;
alter table torn add column b blob;
update torn set a = a_old;
alter table torn drop column a_old;
-- case: key of random bytes
create table ident (id text primary key);
-- statement
create table network (id text primary key);
insert into network (id) values (lower(hex(randomblob(16))));

-- case: what is asked for moves on
create table t (a int); insert into t values (1), (2);
-- statement
update t set a = a + 1 where a in (1, 2);

-- case: what is asked for goes away
create table t (a int); insert into t values (1), (2);
-- statement
update t set a = a + 100 where a in (1, 2);

-- case: a list that grows, one that shrinks
create table t (a text, b text); insert into t values ('[1]', '[1,2,3]');
-- statement
update t set a = json_insert(a, '$[#]', 2), b = json_remove(b, '$[0]');

-- case: dates that move on
create table t (a text); insert into t values ('2024-01-01');
-- statement
update t set a = date(a, '+1 day');

-- case: dates and numbers as text
create table t (a text, b text, c int); insert into t values ('2024-01-01 10:00', '7', null);
-- statement
update t set a = strftime('%Y-%m-%dT%H:%M:%SZ', a), b = printf('%03d', b), c = iif(c is null, 1, c);

-- case: a sum of itself
create table t (a int); insert into t values (1), (2);
-- statement
update t set a = (select sum(a) from t);

-- case: rows outside a partial index
create table t (id integer primary key, a text, live int); create unique index ta on t (a) where live = 1;
-- statement
insert or ignore into t (a, live) values ('x', 0);

-- case: a trigger that writes
create table t (id integer primary key, a); create table log (a); insert into t values (1, 1);
create trigger tl after update on t begin insert into log values (new.a); end;
-- statement
update t set a = 5 where id = 1;

-- case: a trigger of another column, one that compares, one that is dropped
create table t (id integer primary key, a, b); create table log (a); insert into t values (1, 1, 1);
create trigger tb after update of b on t begin insert into log values (new.a); end;
create trigger tw after update on t when old.a <> new.a begin insert into log values (new.a); end;
create trigger td after update on t begin insert into log values (new.a); end;
drop trigger td;
-- statement
update t set a = 5 where id = 1;

-- case: a trigger that is made behind
create table t (id integer primary key, a); create table log (a); insert into t values (1, 1);
-- statement
update t set a = 5 where id = 1;
create trigger if not exists tl after update on t begin insert into log values (new.a); end;

-- case: a trigger that meets what is ignored
create table t (id integer primary key, a); create table log (a);
create trigger tl before insert on t begin insert into log values (new.a); end;
-- statement
insert or ignore into t values (1, 1);

-- case: names that change places
create table t (a, b); insert into t values (1, 2);
-- statement
alter table t rename column a to c;
alter table t rename column b to a;
alter table t rename column c to b;

-- case: a name on its way
create table t (a); insert into t values (1);
-- statement
alter table t rename column a to b;
alter table t rename column b to c;

-- case: deleted and inserted with another key
create table t (id text primary key, k text);
-- statement
delete from t where k = 'a';
insert into t values (hex(randomblob(8)), 'a');

-- case: a key that counts on
create table t (id integer primary key, n int); insert into t values (1, 1);
-- statement
insert into t (id, n) select max(id) + 1, max(n) + 1 from t;

-- case: a full-text index of another table's rows
create table d (id integer primary key, b text); insert into d values (1, 'x');
-- statement
create virtual table f using fts5(b, content=d, content_rowid=id);
insert into f (rowid, b) select id, b from d;

-- case: ignored without a key
create table t (id integer primary key, a text, b text);
-- statement
insert or ignore into t (a, b) values ('x', null);

-- case: a temporary table
create table t (a primary key);
-- statement
create temp table s as select 1 as a;
insert or ignore into t select a from s;

-- case: a rebuild by a query that adds a column
create table t (a, b); insert into t values (1, 2);
-- statement
create table if not exists t2 as select *, null as c from t where 0;
insert into t2 select *, null as c from t;
drop table t;
alter table t2 rename to t;

-- case: a rebuild that takes rows of a table that goes
create table t (id integer primary key, a text); insert into t values (1, 'x');
create table other (id integer primary key, a text); insert into other values (2, 'y');
-- statement
create table t_new (id integer primary key, a text, b text);
insert into t_new (id, a) select id, a from t;
insert into t_new (id, a) select id, a from other where not exists (select 1 from t_new where t_new.id = other.id);
drop table t;
alter table t_new rename to t;
drop table if exists other;

-- case: a rebuild whose indexes are made too early
create table t (id integer primary key, a text check (a in ('x'))); insert into t values (1, 'x');
-- statement
create table if not exists t_new (id integer primary key, a text check (a in ('x', 'y')));
create index if not exists t_a on t_new (a);
insert into t_new (id, a) select id, a from t;
drop table t;
alter table t_new rename to t;

-- case: a rebuild by a query that computes
create table t (id integer primary key, n int); insert into t values (1, 1);
-- statement
create table tmp as select id, n + 1 as n from t;
drop table t;
alter table tmp rename to t;

-- case: a rebuild by a query that picks rows
create table t (id integer primary key, n int); insert into t values (1, 1), (2, null);
-- statement
create table tmp as select id, lower(n) as n from t where n is not null;
drop table t;
alter table tmp rename to t;

-- case: a key that resolves its conflicts
-- statement
create table if not exists t (id text primary key on conflict replace, n int);
insert into t values ('a', 1), ('b', 2);

-- case: a constraint that ignores its conflicts
create table t (id text, n int, unique (id) on conflict ignore);
-- statement
insert into t values ('a', 1), ('b', 2);

-- case: a key that resolves no conflict of another one
create table t (id integer primary key on conflict replace, n int);
-- statement
insert into t (n) values (1);

-- case: numbers that begin again
create table t (id integer primary key autoincrement, a text unique); insert into t (a) values ('x');
-- statement
delete from t;
delete from sqlite_sequence where name = 't';
insert into t (a) values ('z');

-- case: a counter that is set
create table t (id integer primary key autoincrement, a text unique);
-- statement
insert into sqlite_sequence (name, seq) values ('t', 1000);
insert or ignore into t (a) values ('x');

-- case: another key of the same document
create table t (j text); insert into t values ('{"a":1}');
-- statement
update t set j = json_set(json_remove(j, '$.c'), '$.b', json_extract(j, '$.a'));

-- case: the same key of the same document
create table t (j text); insert into t values ('{"a":{"b":1}}');
-- statement
update t set j = json_set(j, '$.a.c', json_extract(j, '$.a'));

-- case: milliseconds become seconds above a bound
create table t (ts); insert into t values (1700000000000);
-- statement
update t set ts = ts / 1000 where ts > 10000000000;

-- case: a text that stays one
create table t (d); insert into t values ('2020-01-02');
-- statement
update t set d = strftime('%s', d) where typeof(d) = 'text';

-- case: into a view whose trigger ignores what is there
create table t (a primary key); create view v as select a from t;
create trigger v_insert instead of insert on v begin insert or ignore into t values (new.a); end;
-- statement
insert into v values (3);

-- case: into a view whose trigger inserts
create table t (a); create view v as select a from t;
create trigger v_insert instead of insert on v begin insert into t values (new.a); end;
-- statement
insert into v values (3);

-- case: a rebuild that multiplies
create table t (id integer primary key, a int); insert into t values (1, 1);
-- statement
create table t2 (id integer primary key, a int not null);
insert into t2 select id, a * 2 from t;
drop table t;
alter table t2 rename to t;

-- case: ignored by its rowid
create table t (a text);
-- statement
insert or ignore into t (rowid, a) values (7, 'x');

-- case: replaced by a row with another value
create table t (id text primary key, n text unique);
-- statement
insert or replace into t values (lower(hex(randomblob(16))), 'n');

-- case: a key of a document that gets another name
create table t (j text); insert into t values ('{"old":1}');
-- statement
update t set j = json_remove(json_set(j, '$.new', json_extract(j, '$.old')), '$.old');

-- case: a sign below its bound
create table t (a int); insert into t values (5);
-- statement
update t set a = -a where a > 0;

-- case: read, then set
create table t (a int, b int); insert into t values (1, 2);
-- statement
update t set b = a;
update t set a = null;

-- case: some rows are moved
create table a (x int); insert into a values (1), (2); create table b (x int);
-- statement
insert into b select x from a where x = 1;
delete from a where x = 1;

-- case: other rows are deleted than were copied
create table a (x int); insert into a values (1), (2); create table b (x int);
-- statement
insert into b select x from a where x = 1;
delete from a where x = 2;

-- case: a table takes a view's name
create view v as select 1 as a;
-- statement
drop view if exists v;
create table v (a int);

-- case: where of an upsert
create table t (id integer primary key, n int);
-- statement
insert into t values (1, 1) on conflict (id) do update set n = n + 1 where n = 0;

-- case: where of an upsert that stays
create table t (id integer primary key, n int);
-- statement
insert into t values (1, 1) on conflict (id) do update set n = n + excluded.n where n < 100;

-- case: upsert where differs
create table t (id integer primary key, n int);
-- statement
insert into t values (1, 1) on conflict (id) do update set n = excluded.n where excluded.n <> t.n;

-- case: upsert counts where excluded is newer
create table t (id integer primary key, n int, v int);
-- statement
insert into t values (1, 1, 5) on conflict (id) do update set n = n + 1, v = excluded.v where excluded.v > t.v;

-- case: sum and zero
create table t (a int, b int); insert into t values (1, 2);
-- statement
update t set a = a + b, b = 0;

-- case: sum and another value
create table t (a int, b int); insert into t values (1, 2);
-- statement
update t set a = a + b, b = 1;

-- case: difference and null
create table t (a int, b int); insert into t values (1, 2);
-- statement
update t set a = a + coalesce(b, 0), b = null;

-- case: text and empty
create table t (a text, b text); insert into t values ('1', '2');
-- statement
update t set a = a || b, b = '';

-- case: minus abs
create table t (a int); insert into t values (5);
-- statement
update t set a = -abs(a);

-- case: minus
create table t (a int); insert into t values (5);
-- statement
update t set a = -a;

-- case: table as select, drop, rename
create table t (id integer primary key, n int); insert into t values (1, 2);
-- statement
create table t_new as select * from t;
drop table t;
alter table t_new rename to t;

-- case: sqlite_sequence
create table g (id integer primary key autoincrement, name text);
-- statement
insert into sqlite_sequence (name, seq) values ('g', 99);

-- case: another key is read than is set
create table t (id integer primary key, a int, b text); insert into t values (1, 1, '{"k":1}');
-- statement
update t set b = json_insert(b, '$.m', 2), a = json_extract(b, '$.k');

-- case: a key that replaces gives another rowid
create table t (id integer primary key, a int, b text unique on conflict replace);
-- statement
insert into t (a, b) values (1, 'x');

-- case: a key that a query counts on
create table t (id integer primary key, a int); insert into t values (1, 1);
-- statement
with x as (select max(id) as m from t) insert into t select m + 1, 0 from x;

-- case: expressions that rest
create table t (id integer primary key, a int, b text, c text); insert into t values (1, 30, 'ann', 'x'), (2, -4, null, null);
-- statement
update t set a = case when a > 0 then 1 else 0 end, b = upper(substr(b, 1, 1)) || lower(substr(b, 2));
update t set a = iif(a > 100000000000, a / 1000, a);
update t set c = json_array(c) where not json_valid(c);

-- case: one of two conditions stays
create table t (id integer primary key, b text); insert into t values (1, '[]'), (2, null);
-- statement
update t set b = json_insert(coalesce(b, '[]'), '$[#]', 'x') where b is null or json_type(b) = 'array';

-- case: the rows of the table itself, computed with
create table t (k text primary key, v text); insert into t values ('a', 'x');
-- statement
insert or replace into t (k, v) select k, v || '!' from t;

-- case: the rows of the table itself
create table t (k text primary key, v text); insert into t values ('a', 'x');
-- statement
insert or replace into t (k, v) select k, upper(v) from t;

-- case: as many as none
create table t (id integer primary key, a text);
-- statement
insert into t (a) select 'once' where (select count(*) from t where a = 'once') = 0;

-- case: a virtual table that is made anew
create virtual table f using fts5(a);
-- statement
drop table if exists f;
create virtual table f using fts5(a, tokenize = 'porter');

-- case: rows of a table without a key
create table o (a);
-- statement
create table if not exists n (id integer primary key, a text);
insert or ignore into n (a) values ('x'), ('y');

-- case: a key of its own, or none
create table t (id integer primary key, b text); insert into t values (1, '{}'), (2, '{"n": 4}');
-- statement
update t set b = json_set(b, '$.n', coalesce(json_extract(b, '$.n'), 0));

-- case: tables that make room, and a foreign key to one that goes with its name
create table c (id integer primary key, a text); insert into c values (1, 'x');
create table m (c integer, n int); insert into m values (1, 5);
-- statement
alter table c rename to old_c;
create table c (id integer primary key, a text not null default '');
insert into c (id, a) select id, a from old_c;
drop table old_c;
alter table m rename to old_m;
create table m (c integer references c (id), n int);
insert into m (c, n) select c, n from old_m;
drop table old_m;
