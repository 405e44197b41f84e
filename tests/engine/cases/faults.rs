//! Deliberate faults, one for each proof and kind: each is found, blamed on the statement that makes it, and explained.

use std::collections::BTreeSet;

use super::proofs::{FINE, errors, finding, of_level, verify};
use crate::support::Case;

/// What scripts have at hand: nothing of it is a fault.
const GROUND: &str = "\
create table if not exists pair (id integer primary key, name text not null);
insert into pair values (1, 'one'), (2, 'two') on conflict do nothing;
create table if not exists log (line text not null);
create table if not exists tally (id integer primary key, n integer not null);
insert into tally values (1, 10), (2, 20) on conflict (id) do nothing;
create table if not exists queue (id integer primary key);
insert into queue values (1), (2), (3), (4) on conflict do nothing;
create table if not exists old_a (id integer);
create table if not exists old_b (id integer, a integer);
create table if not exists old_c (id integer);
create table if not exists wide (id integer primary key);
insert into wide values (1) on conflict do nothing;
create table if not exists country (code text primary key, name text not null);
";

/// A fault: its script, the line of the statement to blame, and how it shows.
type Fault = (&'static str, usize, &'static str);

const FAILS: &str = "twice/fails";
const CHANGES: &str = "twice/changes";

/// Faults on both engines.
const EVERYWHERE: &[Fault] = &[
    ("create table f_table (id integer);\n", 1, FAILS),
    ("create index f_index on pair (name);\n", 1, FAILS),
    ("create unique index f_unique on pair (name);\n", 1, FAILS),
    ("create view f_view as select id from pair;\n", 1, FAILS),
    ("insert into log values ('again');\n", 1, CHANGES),
    ("insert into pair values (3, 'three');\n", 1, FAILS),
    ("insert into queue values (100);\n", 1, FAILS),
    ("alter table old_a add column more integer;\n", 1, FAILS),
    ("drop table old_c;\n", 1, FAILS),
    ("alter table old_b rename column a to b;\n", 1, FAILS),
    ("create table if not exists old_d (id integer);\nalter table old_d rename to new_d;\n", 2, FAILS),
    ("update tally set n = n + 1 where id = 1;\n", 1, CHANGES),
    ("update tally set n = 1000 - n where id = 2;\n", 1, CHANGES),
    ("delete from queue where id = (select min(id) from queue);\n", 1, CHANGES),
    ("insert into log select name from pair where id = 1;\n", 1, CHANGES),
    (
        "create table if not exists token (id integer primary key, value text);\n\
      insert into token values (1, '') on conflict do nothing;\n\
      update token set value = cast(random() as text);\n",
        3,
        CHANGES,
    ),
    (
        "select 1;\n\
      create table if not exists third (id integer primary key);\n\
      insert into third\n  select coalesce(max(id), 0) + 1 from third;\n\
      select 2;\n",
        3,
        CHANGES,
    ),
    // Guards that lie: two never hold, the third is about another table.
    (
        "select 1;\n-- dbbuild: unless column pair.elsewhere\nalter table pair add column lied integer;\nselect 2;\n",
        3,
        FAILS,
    ),
    ("-- dbbuild: unless query select 1 from pair where id = 99\ninsert into log values ('unguarded');\n", 2, CHANGES),
    (
        "drop table if exists flip_b;\n-- dbbuild: unless table flip_a\ncreate table flip_b (id integer);\n\
      create table if not exists flip_a (id integer);\n",
        1,
        CHANGES,
    ),
    // Fails at the commit only, because of a statement long before it.
    (
        "create table if not exists def_a (id integer primary key);\n\
      create table if not exists def_b (a integer references def_a (id) deferrable initially deferred);\n\
      insert into def_a select 1 where not exists (select 1 from def_b);\n\
      insert into def_b select 1 + count(*) from def_b;\n\
      select 1;\n",
        4,
        FAILS,
    ),
];

/// Faults of PostgreSQL's own statements.
const POSTGRES: &[Fault] = &[
    ("create type f_mood as enum ('sad', 'glad');\n", 1, FAILS),
    ("create sequence f_number;\n", 1, FAILS),
    ("create schema f_schema;\n", 1, FAILS),
    ("create domain f_short as text check (length(value) < 9);\n", 1, FAILS),
    ("create function f_two() returns integer language sql as 'select 2';\n", 1, FAILS),
    ("alter table pair add constraint f_named check (name <> '');\n", 1, FAILS),
    ("alter table pair enable row level security;\ncreate policy f_all on pair using (true);\n", 2, FAILS),
    ("create role dbbuild_proof_role;\n", 1, FAILS),
    (
        "create trigger f_touch before update on pair for each row execute function suppress_redundant_updates_trigger();\n",
        1,
        FAILS,
    ),
    ("create materialized view f_seen as select id from pair;\n", 1, FAILS),
    ("create statistics f_stat on id, name from pair;\n", 1, FAILS),
    (
        "do $$ begin\n  execute format('create table made_%s (id integer)', (select count(*) from pg_tables where tablename like 'made_%'));\nend $$;\n",
        1,
        CHANGES,
    ),
    (
        "create table if not exists grown (id integer);\nalter table grown alter column id type bigint;\n\
      do $$ declare t text := (select format_type(atttypid, null) from pg_attribute where attrelid = 'grown'::regclass and attname = 'id');\n\
      begin if obj_description('grown'::regclass) is null then comment on table grown is 'once';\n\
      else alter table grown alter column id type numeric; end if; end $$;\n",
        3,
        CHANGES,
    ),
    ("-- dbbuild: no-transaction\ncreate index concurrently f_slow on pair (name);\n", 2, FAILS),
    // A routine that is gone has no row any more, and one that something is said of has none of its own.
    (
        "do $$ begin\n  if to_regprocedure('f_flip()') is null then\n    \
      create function f_flip() returns integer language sql as 'select 1';\n  else drop function f_flip();\n  end if;\nend $$;\n",
        1,
        CHANGES,
    ),
    (
        "create or replace function f_said() returns integer language sql as 'select 1';\n\
      do $$ begin execute format('comment on function f_said() is %L',\n\
      concat(obj_description('f_said()'::regprocedure), '!')); end $$;\n",
        2,
        CHANGES,
    ),
    ("-- dbbuild: no-transaction\nselect 1;\ninsert into log values ('bare');\n", 3, CHANGES),
    // Blamed on who fires the trigger.
    (
        "create table if not exists shot (id integer primary key, n integer not null);\n\
      create or replace function tells() returns trigger language plpgsql as\n\
      $$ begin insert into log values ('shot'); return new; end $$;\n\
      create or replace trigger told after update on shot for each row execute function tells();\n\
      insert into shot values (1, 1) on conflict (id) do nothing;\n\
      update shot set n = 1;\n",
        6,
        CHANGES,
    ),
    (
        "create sequence if not exists sinks start 10;\n\
      select setval('sinks', (select last_value - 1 from sinks));\n",
        2,
        CHANGES,
    ),
];

/// Faults of SQLite's own statements.
const SQLITE: &[Fault] = &[
    ("create trigger f_touch after update on pair begin select 1; end;\n", 1, FAILS),
    ("create virtual table f_words using fts5(body);\n", 1, FAILS),
    ("alter table pair add column f_flag integer not null default 0;\n", 1, FAILS),
    ("-- dbbuild: no-transaction\ncreate table f_bare (id integer);\n", 2, FAILS),
    ("-- dbbuild: no-transaction\nselect 1;\ninsert into log values ('bare');\n", 3, CHANGES),
    (
        "create table if not exists made (id integer primary key autoincrement, at text);\n\
      insert into made (at) values ('x');\n",
        2,
        CHANGES,
    ),
    (
        "drop table if exists swap;\ncreate table swap (id integer primary key, n integer);\n\
      insert into swap values (1, random());\n",
        3,
        CHANGES,
    ),
    ("insert or replace into tally select 3, coalesce(max(n), 0) + 5 from tally;\n", 1, CHANGES),
    ("create table f_copy as select * from pair;\n", 1, FAILS),
    // Blamed on who fires the trigger.
    (
        "create table if not exists shot (id integer primary key, n integer not null);\n\
      create trigger if not exists told after update on shot begin insert into log values ('shot'); end;\n\
      insert into shot values (1, 1) on conflict (id) do nothing;\n\
      update shot set n = 1;\n",
        4,
        CHANGES,
    ),
    (
        "create table if not exists sinks (id integer primary key autoincrement);\n\
      insert into sinks select 50 where not exists (select 1 from sqlite_sequence where name = 'sinks');\n\
      delete from sinks;\n\
      update sqlite_sequence set seq = seq - 1 where name = 'sinks';\n",
        4,
        CHANGES,
    ),
];

/// Ways back that go wrong: the script, the way back, and what is blamed, `up` or `down` being the file.
const BACK: &[(&str, &str, &str)] = &[
    ("create table if not exists k_a (id integer);\n", "select 1;\ndrop table k_no;\n", "back/down-fails down:2"),
    ("create table if not exists k_b (id integer);\n", "alter table k_b rename to k_old;\n", "back/differs down"),
    (
        "select 1;\n-- dbbuild: unless query select 1 from queue where id = 61\ncreate table k_c (id integer);\n\
      insert into queue values (61) on conflict do nothing;\n",
        "delete from queue where id = 61;\n",
        "back/up-fails up:3",
    ),
    ("create table if not exists k_d (id integer);\n", "drop table k_d;\nselect 'open;\n", "back/unreadable down:2"),
    (
        "-- dbbuild: no-transaction\ncreate table if not exists k_e (id integer);\n",
        "-- dbbuild: no-transaction\nselect 1;\ndrop table k_no;\n",
        "back/down-fails down:3",
    ),
    (
        "create table if not exists k_f (id integer primary key);\n\
      insert into k_f values (1), (2) on conflict do nothing;\n",
        "drop table k_f;\n",
        "back/loses-rows down",
    ),
];

/// A script without a transaction that ends otherwise when it is cut short: the database or its session knows something
/// that nobody noted.
fn forgetful(case: &Case) -> &'static str {
    case.pick(
        "-- dbbuild: no-transaction\ncreate table if not exists last (id integer primary key autoincrement, n text);\n\
         insert into last (n) values ('x');\nupdate last set n = 'y' where id = last_insert_rowid();\n",
        "-- dbbuild: no-transaction\ncreate or replace procedure pushes() language plpgsql as\n\
         $$ begin insert into log values ('pushed'); commit; end $$;\n\
         call pushes();\n",
    )
}

/// As many rows as chance will have, and no more at a second run.
fn chance(case: &Case) -> &'static str {
    case.pick(
        "create table if not exists many (id integer);\ninsert into many with recursive n (i) as\n\
         (select 1 union all select i + 1 from n where i < 5000) select i from n where not exists (select 1 from many)\n\
         limit (select 1 + abs(random()) % 5000);\n",
        "create table if not exists many (id integer);\ninsert into many select i from\n\
         generate_series(1, 1 + (random() * 5000)::integer) i where not exists (select 1 from many);\n",
    )
}

/// What the database's own shell does otherwise than a build.
fn shells_own(case: &Case) -> &'static str {
    case.pick(
        "create table if not exists who (t text primary key);\ninsert into who select o from (select group_concat(compile_options) as o\n\
         from pragma_compile_options) where not exists (select 1 from who);\n",
        "create table if not exists who (t text primary key);\ninsert into who select\n\
         split_part(current_setting('application_name'), ' ', 1) where not exists (select 1 from who);\n",
    )
}

cases! {
    fn each_fault_is_found_and_blamed_on_its_statement(case) {
        let own = case.pick(SQLITE, POSTGRES);
        let faults = EVERYWHERE.iter().chain(own);
        case.write("db/0001_ground.sql", GROUND);
        case.write("db/0002_fine.sql", FINE);
        let mut expected = BTreeSet::new();
        for (at, (script, line, code)) in faults.enumerate() {
            let file = format!("db/{:04}_fault.sql", at + 10);
            case.write(&file, script);
            expected.insert(format!("{code} {file}:{line}"));
            if script.contains("concurrently") {
                // What no transaction can hold may be done and not noted.
                expected.insert(format!("crash-points/fails {file}:{line}"));
            }
        }
        for (at, (up, down, blamed)) in BACK.iter().enumerate() {
            let files = [format!("db/{:04}_back.sql", at + 200), format!("db/{:04}_back.down.sql", at + 200)];
            case.write(&files[0], up);
            case.write(&files[1], down);
            expected.insert(blamed.replace(" up", &format!(" {}", files[0])).replace(" down", &format!(" {}", files[1])));
        }
        case.write("db/0300_forgetful.sql", forgetful(case));
        let line = case.pick(3, 4);
        expected.extend(["twice/changes", "crash-points/differs"].map(|code| format!("{code} db/0300_forgetful.sql:{line}")));
        case.write("db/0301_chance.sql", chance(case));
        expected.insert("roads/two-builds db/0301_chance.sql".to_owned());
        case.write("db/0302_shell.sql", shells_own(case));
        expected.insert("offline/differs plan --sql".to_owned());
        case.write("db/code/view.sql", "create view f_code as select id from pair;\n");
        case.write("db/code/fine.sql", "drop view if exists fine_view;\ncreate view fine_view as select id from fine;\n");
        case.write("db/code/note.sql", "select 1;\ninsert into log values ('code');\n");
        expected.insert("twice/changes db/code/note.sql:2".to_owned());
        case.write("seed/010_log.sql", "insert into log values ('seed');\n");
        expected.insert("seeds/writes seed/010_log.sql:1".to_owned());
        case.write("seed/020_pair.sql", "insert into fine values (7, 'seven');\n");
        expected.insert("seeds/fails seed/020_pair.sql:1".to_owned());
        case.write("seed/030_fine.sql", "insert into fine values (8, 'eight') on conflict do nothing;\n");
        case.write("seed/040_fine.csv", "id,name\n9,nine\n");
        case.write("seed/040_fine.toml", "table = \"fine\"\n");
        case.write("seed/050_country.sql", "delete from country where code = 'DE';\n\
            insert into country values ('DE', cast(random() as text));\n");
        expected.insert("seeds/writes seed/050_country.sql:2".to_owned());
        case.write("seed/test/010_log.sql", "insert into log values ('test');\n");
        expected.insert("twice/changes seed/test/010_log.sql:1".to_owned());
        let report = verify(case, &[], 1);
        let mut found = errors(&report);
        found.extend(of_level(&report, "note"));
        assert_eq!(found, expected);
        assert!(expected.len() >= 40, "{}", expected.len());
        // Each says why: what is different, or what the database said.
        for found in report["proofs"].as_object().unwrap().values().flat_map(|proof| proof["findings"].as_array().unwrap()) {
            let is_told = found["error"]["message"].is_string() || found["changes"].as_array().is_some_and(|all| !all.is_empty());
            assert!(is_told || found["code"] == "back/unreadable", "{found}");
        }
        // The shell is not blamed for what is left to chance.
        let shell = finding(&report, "offline", "plan --sql")["changes"].as_array().unwrap();
        let table = case.pick("who", "public.who");
        assert!(shell.iter().all(|change| change["table"] == table), "{shell:?}");
    }
}
