-- Cases of tests/lint_truth.rs over every kind of statement. What stands here is the setup of each of them.

CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT);
CREATE TABLE u (id INTEGER PRIMARY KEY, t INT, note TEXT);
INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
INSERT INTO u VALUES (1, 1, 'n');
CREATE TABLE k (code TEXT PRIMARY KEY, label TEXT, n INT NOT NULL DEFAULT 0);
INSERT INTO k VALUES ('a', 'A', 1), ('b', 'B', 2);
CREATE TABLE nk (a INT, b TEXT);
INSERT INTO nk VALUES (1, 'x');
CREATE TABLE ai (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, at TEXT DEFAULT '2020');
INSERT INTO ai (name) VALUES ('one');
CREATE INDEX t_a ON t (a);
CREATE VIEW v AS SELECT id, a FROM t;
CREATE TRIGGER tr AFTER DELETE ON u BEGIN SELECT 1; END;

-- case: create table strict
CREATE TABLE n (a INTEGER) STRICT;
-- case: create table without rowid
CREATE TABLE n (a INTEGER PRIMARY KEY) WITHOUT ROWID;
-- case: create table as
CREATE TABLE n AS SELECT 1 AS a;
-- case: create table as guarded
CREATE TABLE IF NOT EXISTS n AS SELECT 1 AS a;
-- case: create temp table known: another session has none
CREATE TEMP TABLE n (a);
-- case: create temporary table dropped
CREATE TEMPORARY TABLE n (a); INSERT INTO n VALUES (1); DROP TABLE n;
-- case: create table backticks
CREATE TABLE `n` (`a` INT);
-- case: create table brackets
CREATE TABLE [n n] ([a] INT);
-- case: create table schema
CREATE TABLE main.n (a);
-- case: create index unique
CREATE UNIQUE INDEX n ON t (b);
-- case: create index unique guarded
CREATE UNIQUE INDEX IF NOT EXISTS n ON t (b);
-- case: create index expression
CREATE INDEX n ON t (lower(b)) WHERE a > 1;
-- case: create index dropped first
DROP INDEX IF EXISTS n; CREATE INDEX n ON t (b);
-- case: create index dropped first unguarded
DROP INDEX t_a; CREATE INDEX t_a ON t (b);
-- case: create view
CREATE VIEW n AS SELECT 1;
-- case: create view guarded
CREATE VIEW IF NOT EXISTS n AS SELECT 1;
-- case: create temp view known: another session has none
CREATE TEMP VIEW n AS SELECT 1;
-- case: replaced view
DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT id FROM t;
-- case: replaced view unguarded
DROP VIEW v; CREATE VIEW v AS SELECT id FROM t;
-- case: create trigger guarded
CREATE TRIGGER IF NOT EXISTS n AFTER UPDATE ON t BEGIN UPDATE u SET note = 'x' WHERE id = 1; END;
-- case: create trigger without timing
CREATE TRIGGER n UPDATE ON t BEGIN SELECT 1; END;
-- case: create trigger with body of case
CREATE TRIGGER n AFTER UPDATE ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; INSERT INTO nk VALUES (1, 'a'); END;
-- case: create temp trigger known: another session has none
CREATE TEMP TRIGGER n AFTER UPDATE ON t BEGIN SELECT 1; END;
-- case: replaced trigger
DROP TRIGGER IF EXISTS tr; CREATE TRIGGER tr AFTER INSERT ON u BEGIN SELECT 1; END;
-- case: replaced trigger unguarded
DROP TRIGGER tr; CREATE TRIGGER tr AFTER INSERT ON u BEGIN SELECT 1; END;
-- case: virtual table guarded
CREATE VIRTUAL TABLE IF NOT EXISTS n USING fts5(a);
-- case: virtual table with rows
CREATE VIRTUAL TABLE IF NOT EXISTS n USING fts5(a); INSERT INTO n SELECT b FROM t;
-- case: virtual table external content rebuild
CREATE VIRTUAL TABLE IF NOT EXISTS n USING fts5(b, content='t', content_rowid='id'); INSERT INTO n (n) VALUES ('rebuild');
-- case: virtual table rtree
CREATE VIRTUAL TABLE n USING rtree(id, x0, x1);
-- case: drop index
DROP INDEX t_a;
-- case: drop index guarded
DROP INDEX IF EXISTS t_a;
-- case: drop view
DROP VIEW v;
-- case: drop trigger
DROP TRIGGER tr;
-- case: drop trigger guarded
DROP TRIGGER IF EXISTS tr;
-- case: drop column
ALTER TABLE u DROP COLUMN note;
-- case: drop column without the word
ALTER TABLE u DROP note;
-- case: add column without the word
ALTER TABLE u ADD n INT;
-- case: add column default
ALTER TABLE u ADD COLUMN n INT NOT NULL DEFAULT 0;
-- case: add column reference
ALTER TABLE u ADD COLUMN n INT REFERENCES t (id);
-- case: add column quoted
ALTER TABLE "u" ADD COLUMN "group" INT;
-- case: add column directive
-- dbbuild: unless column u.n
ALTER TABLE u ADD COLUMN n INT;
-- case: add column directive for another
-- dbbuild: unless column u.m
ALTER TABLE u ADD COLUMN n INT;
-- case: add column directive for another table
-- dbbuild: unless column t.n
ALTER TABLE u ADD COLUMN n INT;
-- case: add column and backfill
ALTER TABLE u ADD COLUMN n INT; UPDATE u SET n = t;
-- case: add column and backfill in a group
-- dbbuild: unless column u.n begin
ALTER TABLE u ADD COLUMN n INT; UPDATE u SET n = n + 1;
-- dbbuild: end
-- case: add column and moving backfill
-- dbbuild: unless column u.n
ALTER TABLE u ADD COLUMN n INT DEFAULT 0;
UPDATE u SET n = n + 1;
-- case: add two columns
ALTER TABLE u ADD COLUMN n INT; ALTER TABLE u ADD COLUMN o INT;
-- case: rename column without the word
ALTER TABLE u RENAME note TO remark;
-- case: rename column directive
-- dbbuild: if column u.note
ALTER TABLE u RENAME COLUMN note TO remark;
-- case: rename column directive wrong way
-- dbbuild: unless column u.note2
ALTER TABLE u RENAME COLUMN note TO remark;
-- case: rename table
ALTER TABLE u RENAME TO u2;
-- case: rename table directive
-- dbbuild: if table u
ALTER TABLE u RENAME TO u2;
-- case: rename and create again
ALTER TABLE u RENAME TO u2; CREATE TABLE u (id INTEGER PRIMARY KEY);
-- case: rename, create again, copy, drop
ALTER TABLE u RENAME TO u_old; CREATE TABLE u (id INTEGER PRIMARY KEY, t INT, note TEXT NOT NULL DEFAULT ''); INSERT INTO u SELECT id, t, note FROM u_old; DROP TABLE u_old;
-- case: rename, create again, copy named, drop, column gone
ALTER TABLE u RENAME TO u_old; CREATE TABLE u (id INTEGER PRIMARY KEY, t INT); INSERT INTO u (id, t) SELECT id, t FROM u_old; DROP TABLE u_old;
-- case: rename, create again, copy column gone into another
ALTER TABLE u RENAME TO u_old; CREATE TABLE u (id INTEGER PRIMARY KEY, remark TEXT); INSERT INTO u (id, remark) SELECT id, note FROM u_old; DROP TABLE u_old;
-- case: rebuild same
CREATE TABLE u_new (id INTEGER PRIMARY KEY, t INT, note TEXT); INSERT INTO u_new SELECT * FROM u; DROP TABLE u; ALTER TABLE u_new RENAME TO u;
-- case: rebuild new column
CREATE TABLE u_new (id INTEGER PRIMARY KEY, t INT, note TEXT, n INT DEFAULT 0); INSERT INTO u_new (id, t, note) SELECT id, t, note FROM u; DROP TABLE u; ALTER TABLE u_new RENAME TO u;
-- case: rebuild new column by position
CREATE TABLE u_new (id INTEGER PRIMARY KEY, t INT, note TEXT, n INT DEFAULT 0); INSERT INTO u_new SELECT id, t, note, 5 FROM u; DROP TABLE u; ALTER TABLE u_new RENAME TO u;
-- case: rebuild column gone
CREATE TABLE u_new (id INTEGER PRIMARY KEY, t INT); INSERT INTO u_new (id, t) SELECT id, t FROM u; DROP TABLE u; ALTER TABLE u_new RENAME TO u;
-- case: rebuild star column gone
CREATE TABLE u_new (id INTEGER PRIMARY KEY, t INT); INSERT INTO u_new SELECT id, t FROM u; DROP TABLE u; ALTER TABLE u_new RENAME TO u;
-- case: rebuild column renamed
CREATE TABLE u_new (id INTEGER PRIMARY KEY, t INT, remark TEXT); INSERT INTO u_new (id, t, remark) SELECT id, t, note FROM u; DROP TABLE u; ALTER TABLE u_new RENAME TO u;
-- case: rebuild drop if exists first
DROP TABLE IF EXISTS u_new; CREATE TABLE u_new (id INTEGER PRIMARY KEY, t INT, note TEXT); INSERT INTO u_new SELECT id, t, note FROM u; DROP TABLE u; ALTER TABLE u_new RENAME TO u;
-- case: rebuild in own transaction
PRAGMA foreign_keys=OFF; BEGIN; CREATE TABLE u_new (id INTEGER PRIMARY KEY, t INT, note TEXT); INSERT INTO u_new SELECT id, t, note FROM u; DROP TABLE u; ALTER TABLE u_new RENAME TO u; COMMIT; PRAGMA foreign_keys=ON;
-- case: rebuild with index and trigger
CREATE TABLE u_new (id INTEGER PRIMARY KEY, t INT, note TEXT); INSERT INTO u_new SELECT id, t, note FROM u; DROP TABLE u; ALTER TABLE u_new RENAME TO u; CREATE INDEX u_t ON u (t);
-- case: rebuild coalesced
CREATE TABLE u_new (id INTEGER PRIMARY KEY, t INT, note TEXT NOT NULL); INSERT INTO u_new (id, t, note) SELECT id, t, COALESCE(note, '') FROM u; DROP TABLE u; ALTER TABLE u_new RENAME TO u;
-- case: rebuild appending
CREATE TABLE u_new (id INTEGER PRIMARY KEY, t INT, note TEXT); INSERT INTO u_new (id, t, note) SELECT id, t, note || '!' FROM u; DROP TABLE u; ALTER TABLE u_new RENAME TO u;
-- case: temporary copy
CREATE TEMPORARY TABLE u_backup (id, t, note); INSERT INTO u_backup SELECT id, t, note FROM u; DROP TABLE u; CREATE TABLE u (id INTEGER PRIMARY KEY, t INT, note TEXT); INSERT INTO u SELECT id, t, note FROM u_backup; DROP TABLE u_backup;
-- case: temporary copy column gone
CREATE TEMPORARY TABLE u_backup (id, note); INSERT INTO u_backup SELECT id, note FROM u; DROP TABLE u; CREATE TABLE u (id INTEGER PRIMARY KEY, remark TEXT); INSERT INTO u SELECT id, note FROM u_backup; DROP TABLE u_backup;
-- case: copy table as
CREATE TABLE u_backup AS SELECT * FROM u;
-- case: pragma user_version
PRAGMA user_version = 7;
-- case: pragma foreign_keys
-- dbbuild: no-transaction
PRAGMA foreign_keys = ON;
-- case: pragma journal
-- dbbuild: no-transaction
PRAGMA journal_mode = DELETE;
-- case: pragma check
PRAGMA foreign_key_check;
-- case: reindex
REINDEX;
-- case: reindex table
REINDEX t;
-- case: analyze
ANALYZE;
-- case: vacuum
-- dbbuild: no-transaction
VACUUM;
-- case: savepoint
SAVEPOINT a; RELEASE a;
-- case: begin commit
BEGIN; UPDATE t SET b = 'q'; COMMIT;
-- case: select
SELECT * FROM t;
-- case: explain
EXPLAIN SELECT 1;

-- case: insert without key
INSERT INTO nk VALUES (2, 'z');
-- case: insert ignore without key
INSERT OR IGNORE INTO nk VALUES (2, 'z');
-- case: replace without key
REPLACE INTO nk VALUES (2, 'z');
-- case: insert replace without key
INSERT OR REPLACE INTO nk VALUES (2, 'z');
-- case: insert key
INSERT INTO k VALUES ('c', 'C', 3);
-- case: insert ignore key
INSERT OR IGNORE INTO k VALUES ('c', 'C', 3);
-- case: insert replace key
INSERT OR REPLACE INTO k VALUES ('c', 'C', 3);
-- case: insert or abort
INSERT OR ABORT INTO k VALUES ('c', 'C', 3);
-- case: insert conflict bare
INSERT INTO k VALUES ('c', 'C', 3) ON CONFLICT DO NOTHING;
-- case: insert conflict target
INSERT INTO k VALUES ('c', 'C', 3) ON CONFLICT (code) DO UPDATE SET label = excluded.label;
-- case: insert conflict counting
INSERT INTO k VALUES ('a', 'A', 3) ON CONFLICT (code) DO UPDATE SET n = n + 1;
-- case: insert conflict counting qualified
INSERT INTO k VALUES ('a', 'A', 3) ON CONFLICT (code) DO UPDATE SET n = k.n + excluded.n;
-- case: insert generated
INSERT INTO ai (name) VALUES ('two');
-- case: insert generated ignore unique
INSERT OR IGNORE INTO ai (name) VALUES ('two');
-- case: insert generated replace unique
INSERT OR REPLACE INTO ai (name) VALUES ('two');
-- case: insert generated ignore none
INSERT OR IGNORE INTO t (a, b) VALUES (9, 'q');
-- case: insert generated replace none
REPLACE INTO t (a, b) VALUES (9, 'q');
-- case: insert null key
INSERT OR IGNORE INTO t VALUES (NULL, 9, 'q');
-- case: insert null unique
INSERT OR IGNORE INTO ai (name) VALUES (NULL);
-- case: insert where not exists
INSERT INTO nk SELECT 2, 'z' WHERE NOT EXISTS (SELECT 1 FROM nk WHERE a = 2);
-- case: insert lying where not exists
INSERT INTO nk SELECT 2, 'z' WHERE NOT EXISTS (SELECT 1 FROM nk WHERE a = 3);
-- case: insert select
INSERT INTO nk SELECT a, b FROM t;
-- case: insert select keyed
INSERT INTO k SELECT b, b, 1 FROM t;
-- case: insert select ignore
INSERT OR IGNORE INTO k SELECT b, b, 1 FROM t;
-- case: insert select not exists
INSERT INTO nk SELECT a, b FROM t WHERE NOT EXISTS (SELECT 1 FROM nk WHERE nk.a = t.a);
-- case: insert select not in
INSERT INTO nk SELECT a, b FROM t WHERE a NOT IN (SELECT a FROM nk);
-- case: insert select except
INSERT INTO nk SELECT a, b FROM t EXCEPT SELECT a, b FROM nk;
-- case: insert cte
WITH x AS (SELECT 5 AS a) INSERT INTO nk SELECT a, 'q' FROM x;
-- case: insert random
INSERT OR IGNORE INTO k VALUES (hex(randomblob(8)), 'x', 1);
-- case: insert default values
INSERT INTO ai DEFAULT VALUES;
-- case: insert after delete
DELETE FROM nk; INSERT INTO nk VALUES (5, 'q');
-- case: insert after delete of these
DELETE FROM k WHERE code = 'z'; INSERT INTO k VALUES ('z', 'Z', 1);
-- case: insert after delete of others
DELETE FROM nk WHERE a = 1; INSERT INTO nk VALUES (5, 'q');
-- case: insert and delete source
INSERT INTO nk SELECT a, b FROM t; DELETE FROM t;
-- case: update constant
UPDATE t SET b = 'q' WHERE id = 1;
-- case: update or ignore
UPDATE OR IGNORE t SET b = 'q';
-- case: update increment guarded
UPDATE t SET a = 10 WHERE a = 1;
-- case: update increment where other
UPDATE t SET a = a + 1 WHERE id = 1;
-- case: update append
UPDATE t SET b = b || '!';
-- case: update append guarded
UPDATE t SET b = b || '!' WHERE b NOT LIKE '%!';
-- case: update replace
UPDATE t SET b = replace(b, 'x', 'z');
-- case: update replace growing
UPDATE t SET b = replace(b, 'x', 'xx');
-- case: update from other column
UPDATE t SET b = a;
-- case: update from subquery
UPDATE t SET b = (SELECT note FROM u WHERE u.t = t.id);
-- case: update own aggregate
UPDATE t SET a = (SELECT max(a) + 1 FROM t);
-- case: update random
UPDATE t SET a = random();
-- case: update time
UPDATE ai SET at = strftime('%f %J', 'now') || random();
-- case: update json
UPDATE t SET b = json_set('{}', '$.a', 1);
-- case: update case settled
UPDATE t SET b = CASE b WHEN 'x' THEN 'q' ELSE b END;
-- case: update toggle
UPDATE t SET b = CASE b WHEN 'x' THEN 'y' ELSE 'x' END;
-- case: update not
UPDATE t SET a = NOT a;
-- case: update negate
UPDATE t SET a = -a;
-- case: update substr tail
UPDATE k SET label = substr(label || 'xyz', 2);
-- case: update cast
UPDATE t SET b = CAST(b AS TEXT);
-- case: update ifnull
UPDATE t SET b = IFNULL(b, '');
-- case: update printf
UPDATE t SET b = printf('%s-%s', b, a);
-- case: update swap
UPDATE u SET t = id + 10, id = t + 10;
-- case: update unixepoch multiply
UPDATE t SET a = a * 1000;
-- case: update multiply guarded by range known: whether a value passes the bound depends on the rows
UPDATE t SET a = a * 1000 WHERE a < 1000;
-- case: delete
DELETE FROM u;
-- case: delete newest
DELETE FROM t WHERE id = (SELECT max(id) FROM t);
-- case: delete limit
DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT 1);
-- case: delete sequence
DELETE FROM sqlite_sequence WHERE name = 'ai';
-- case: used then dropped
INSERT INTO nk SELECT id, note FROM u; ALTER TABLE u DROP COLUMN note;
-- case: copied then table dropped
CREATE TABLE IF NOT EXISTS n (id INTEGER PRIMARY KEY, a INT); INSERT INTO n SELECT id, a FROM t; DROP TABLE t;
-- case: create drop same
CREATE TABLE n (a); DROP TABLE n;
-- case: drop and create table
DROP TABLE IF EXISTS n; CREATE TABLE n (a);
-- case: writable schema
PRAGMA writable_schema = 1; UPDATE sqlite_master SET sql = replace(sql, 'note TEXT', 'note  TEXT') WHERE name = 'u'; PRAGMA writable_schema = 0;

-- case: rows of a table that is dropped again
create table scratch (id int); insert into scratch values (1); drop table scratch;
-- case: or replace where nothing can conflict known: the state leaves sqlite_sequence out
create table counted (id integer primary key autoincrement, x);
insert into counted (x) values (1);
-- statement
insert or replace into sqlite_sequence (name, seq) values ('counted', 500);
-- case: a query for another row
create table plain (k text, v int);
-- statement
-- dbbuild: unless query select 1 from plain where k = 'c'
insert into plain values ('b', 2);
-- case: a query for one of the rows
create table plain (k text, v int);
-- statement
-- dbbuild: unless query select 1 from plain where k = 'c'
insert into plain values ('b', 2), ('c', 3);
-- case: like, and more at its end
create table plain (k text, v int);
insert into plain values ('xy', 1);
-- statement
update plain set k = k || '!' where k like 'x%';
-- case: bits set and cleared
create table plain (k text, v int);
insert into plain values ('xy', 9);
-- statement
update plain set v = v | 4; update plain set v = v & ~1;
-- case: a value of elsewhere, else its own
create table doc (json text, at text not null);
insert into doc values ('{"at": "2020-01-01"}', 'x'), ('{}', 'y');
-- statement
update doc set at = coalesce(strftime('%Y-%m-%d', json_extract(json, '$.at')), at);
-- case: a rebuild from a query
create table grown as select 1 as a where 0;
-- statement
create table grown_new as select *, null as b from grown where 0; insert into grown_new select *, null from grown; drop table grown; alter table grown_new rename to grown;
