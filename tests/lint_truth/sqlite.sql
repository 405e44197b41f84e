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
