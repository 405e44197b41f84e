//! Dump, load, dump: the same bytes, the same rows. And reset.

use std::collections::BTreeMap;

use super::*;
use crate::engine::{DumpInfo, Load};
use crate::event::Event;
use crate::journal::Mark;
use crate::script::Checksum;

fn of<'a>(folder: &'a Path, entries: &'a [NewEntry]) -> Load<'a> {
    Load { entries, ..Load::new(folder, "shop", "baseline", Checksum::default()) }
}

/// Every file of a dump with its bytes.
fn dump(session: &mut dyn Session) -> Result<BTreeMap<String, Vec<u8>>> {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(session.dump(folder.path(), &mut Silent)?, DumpInfo { server_major: 3, dump_major: None });
    Ok(files(folder.path()))
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let data = names_in(&folder.join("data")).into_iter().map(|name| format!("data/{name}"));
    let names = data.chain(["schema.sql".to_owned()]);
    names.map(|name| (name.clone(), std::fs::read(folder.join(name)).unwrap())).collect()
}

fn write(files: &BTreeMap<String, Vec<u8>>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn load(files: &BTreeMap<String, Vec<u8>>) -> Result<Place> {
    let place = Place::new();
    let folder = write(files);
    place.session().load(&of(folder.path(), &[]), &run(), &mut Silent)?;
    Ok(place)
}

/// The content of a table with the type of each value, floating point numbers and all else bit by bit.
fn content(place: &Place, table: &str) -> Vec<String> {
    let connection = place.raw();
    let mut statement = connection.prepare(&format!("select * from {table}")).unwrap();
    let count = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let value = |index| match row.get_ref(index).unwrap() {
            rusqlite::types::ValueRef::Real(number) => format!("Real({:x})", number.to_bits()),
            other => format!("{other:?}"),
        };
        lines.push((0..count).map(value).collect::<Vec<_>>().join(" "));
    }
    lines.sort();
    lines
}

const AWKWARD: &str = r#"
pragma user_version = 7;
pragma application_id = 1234;
create table Customer (id integer primary key autoincrement, name text, twice as (id * 2), kept text as (upper(name)) stored);
insert into Customer (name) values ('a'), ('it''s'), ('gone');
delete from Customer where name = 'gone';
create table "Odd ""name"" é.x" ("a b" blob, "select" text -- the last word
);
insert into "Odd ""name"" é.x" values (x'00ff', 'é'), (x'', char(0) || 'b'), (null, 'a' || char(13, 10) || 'b'), ('text', char(10) || ';' || char(10) || '--');
create table value (id integer primary key, v);
insert into value (v) values (0.1), (1e308 * 10), (-1e308 * 10), (5.0), (9223372036854775807), (-9223372036854775807 - 1),
  (4.9406564584124654e-324), (1.7976931348623157e308), (0.30000000000000004), (1e21), (123456789012345680.0), (cast(x'ff41' as text)), (-1.5e-10), ('1'), ('');
create table real_column (x real);
insert into real_column values (1), (0.5), ('text');
create table no_key (a, b);
insert into no_key values (3, 'z'), (1, 'a'), (1, 'a');
create table pairs (lang text, code text collate nocase, primary key (code, lang)) without rowid;
insert into pairs values ('en', 'b'), ('de', 'B'), ('en', 'A');
create table shadowed (rowid text, oid text primary key);
insert into shadowed values ('x', 'b'), ('y', 'a');
create table child (id integer primary key, parent int references Customer on delete cascade, strict_one any) strict;
insert into child values (1, 2, '007'), (2, 1, 1.5);
create table apart (id integer primary key, name text unique);
create table APART_2 (x);
create index by_name on Customer (name collate nocase desc) where name <> '';
create view b_view as select * from a_view;
create view a_view as select name from Customer -- a comment
;
create table log (what text);
create trigger zz after insert on Customer begin insert into log values ('zz'); end;
create trigger aa after insert on Customer begin insert into log values ('aa'); end;
create virtual table post using fts5(title, body, tokenize = 'porter');
insert into post (rowid, title, body) values (5, 'one', 'running fast'), (9, 'it''s', 'two');
insert into post (post, rank) values ('rank', 'bm25(10.0, 5.0)');
delete from post where rowid = 9;
create virtual table by_customer using fts5(name, content = 'Customer', content_rowid = 'id');
insert into by_customer (by_customer) values ('rebuild');
create virtual table unfilled using fts5(name, content = 'Customer', content_rowid = 'not_there');
create virtual table bare using fts5(x, content = '');
create virtual table old_unfilled using fts4(content="", x);
create virtual table old_post using fts4(body, notindexed=body);
insert into old_post (docid, body) values (3, 'old text');
create virtual table box using rtree(id, x0, x1, +label);
insert into box values (7, 0.1, 0.3, 'a'), (2, -1, 1, 'b');
create virtual table words using fts5vocab('post', 'row');
"#;

#[test]
fn a_dump_of_awkward_things_is_a_fixpoint() {
    let place = Place::new();
    let mut session = place.prepared();
    for (version, sql) in AWKWARD.split_inclusive(";\n").collect::<Vec<_>>().chunks(9).enumerate() {
        applied(&mut *session, &(version + 1).to_string(), &sql.concat());
    }
    place.raw().execute_batch("analyze").unwrap();
    let first = dump(&mut *session).unwrap();
    assert_eq!(first, dump(&mut *session).unwrap());
    let names: Vec<&str> = first.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "data/%43ustomer.sql",
            "data/%4Fdd%20%22name%22%20%C3%A9%2Ex.sql",
            "data/box.sql",
            "data/by_customer.sql",
            "data/child.sql",
            "data/no_key.sql",
            "data/old_post.sql",
            "data/pairs.sql",
            "data/post.sql",
            "data/real_column.sql",
            "data/shadowed.sql",
            "data/value.sql",
            "schema.sql",
        ]
    );
    assert!(first.values().all(|bytes| !bytes.contains(&b'\r') && std::str::from_utf8(bytes).is_ok()));
    let schema = String::from_utf8(first["schema.sql"].clone()).unwrap();
    assert!(
        !schema.contains("dbbuild_") && !schema.contains("sqlite_stat") && !schema.contains("_content"),
        "{schema}"
    );

    let copy = load(&first).unwrap();
    assert_eq!(dump(&mut *copy.session()).unwrap(), first);
    for table in [
        "Customer",
        "\"Odd \"\"name\"\" é.x\"",
        "value",
        "real_column",
        "no_key",
        "pairs",
        "child",
        "post",
        "old_post",
        "box",
        "log",
    ] {
        assert_eq!(content(&copy, table), content(&place, table), "{table}");
    }
    assert_eq!(copy.ask("pragma user_version"), ["7"]);
    assert_eq!(copy.ask("pragma application_id"), ["1234"]);
    assert_eq!(copy.ask("pragma integrity_check"), ["ok"]);
    assert_eq!(copy.ask("select title from post where post match 'run'"), ["one"]);
    assert_eq!(copy.ask("select rowid from by_customer where by_customer match 'it'"), ["2"]);
    assert_eq!(copy.ask("select id from box where x0 < 0"), ["2"]);
    assert_eq!(copy.ask("select term from words where term = 'fast'"), ["fast"]);
    // The counter remembers the row that is gone, and triggers fire in the same order as before.
    for one in [&place, &copy] {
        one.raw().execute_batch("insert into Customer (name) values ('new')").unwrap();
        assert_eq!(one.ask("select max(id) from Customer"), ["4"]);
    }
    assert_eq!(copy.ask("select what from log"), place.ask("select what from log"));
    // A checkout with CRLF loads the same.
    let crlf = first
        .iter()
        .map(|(name, bytes)| (name.clone(), String::from_utf8_lossy(bytes).replace('\n', "\r\n").into_bytes()));
    assert_eq!(dump(&mut *load(&crlf.collect()).unwrap().session()).unwrap(), first);
}

#[test]
fn a_file_of_many_stretches_is_loaded_as_it_is() {
    let place = Place::new();
    let mut session = place.session();
    place.raw().execute_batch("create table t (id integer primary key, x text not null)").unwrap();
    // Lines of every length, so that a stretch ends everywhere; and one that is longer than a stretch.
    let rows = "
        with recursive n (i) as (select 1 union all select i + 1 from n where i < 30000)
        insert into t select i, case i when 20000 then replace(hex(zeroblob(1500000)), '0', 'ä;' || char(10))
                                       else substr('äöü; ''end'' --', 1, i % 13) || char(10) || i end from n";
    place.raw().execute_batch(rows).unwrap();
    let first = dump(&mut *session).unwrap();
    assert_eq!(dump(&mut *load(&first).unwrap().session()).unwrap(), first);
    let text = String::from_utf8(first["data/t.sql"].clone()).unwrap();
    let with = |text: String| first.clone().into_iter().chain([("data/t.sql".to_owned(), text.into_bytes())]).collect();
    assert_eq!(dump(&mut *load(&with(text.replace('\n', "\r\n"))).unwrap().session()).unwrap(), first);
    let line = text.lines().position(|line| line.contains("VALUES (29999, ")).unwrap() + 1;
    for (from, to) in [("VALUES (29999, ", "VALUES (29998, "), ("VALUES (29999, ", "VALUES (29999, '")] {
        let error = load(&with(text.replacen(from, to, 1))).err().unwrap();
        assert!(error.place().unwrap().line >= line, "{error}");
    }
}

#[test]
fn every_number_and_text_comes_back() {
    let place = Place::new();
    place.raw().execute_batch("create table t (id integer primary key, v)").unwrap();
    let connection = place.raw();
    connection.execute_batch("begin").unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..3000 {
        let number = match f64::from_bits(random.u64(..)) {
            number if number.is_nan() => 0.1 + 0.2,
            number => number,
        };
        connection.execute("insert into t (v) values (?1)", [number]).unwrap();
        let text: String = (0..random.usize(0..12))
            .map(|_| random.choice("a'\"\0\r\n;-é%\u{1F600}\\x".chars().collect::<Vec<_>>()).unwrap())
            .collect();
        connection.execute("insert into t (v) values (?1)", [text]).unwrap();
    }
    connection.execute_batch("commit").unwrap();
    let first = dump(&mut *place.session()).unwrap();
    let copy = load(&first).unwrap();
    assert_eq!(content(&copy, "t"), content(&place, "t"));
}

#[test]
fn what_cannot_be_read_back_is_refused_by_name() {
    for (sql, words) in [
        ("using fts5(x, content = '')", "gone keeps no content"),
        ("using fts5(x, content='', contentless_delete=1)", "gone keeps no content"),
        ("using fts4(content=\"\", x)", "gone keeps no content"),
    ] {
        let place = Place::new();
        let fill = "insert into gone (rowid, x) values (1, 'a')";
        place.raw().execute_batch(&format!("create virtual table gone {sql}; {fill}")).unwrap();
        let error = dump(&mut *place.session()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let place = Place::new();
    place.raw().execute_batch("pragma encoding = 'UTF-16le'; create table a (x)").unwrap();
    assert_eq!(code(&dump(&mut *place.session()).unwrap_err()), "baseline/encoding");
}

#[test]
fn a_load_brings_its_entries_or_nothing() {
    let place = Place::new();
    place.raw().execute_batch("create table p (id integer primary key); create table c (p references p); insert into p values (1); insert into c values (1)").unwrap();
    let good = dump(&mut *place.session()).unwrap();
    let fresh = Place::new();
    let mut session = fresh.session();
    session.prepare(Some(&Mark { environment: "development".into(), protected: false }), false).unwrap();
    let folder = write(&good);
    let entries = [entry(Kind::Script, "1", 1, "x", 3)];
    session.load(&of(folder.path(), &entries), &run(), &mut |_: Event| {}).unwrap();
    assert_eq!((newest(&mut *session)[0].state, newest(&mut *session)[0].statements_done), (Stored::Applied, 3));
    let error = apply(&mut *session, script("2", "insert into c values (9);")).unwrap_err();
    assert_eq!(code(&error), "sql/SQLITE_CONSTRAINT_FOREIGNKEY");
    let again = session.load(&of(folder.path(), &[]), &run(), &mut Silent).unwrap_err();
    assert_eq!(code(&again), "load/not-empty");

    let broken = |name: &str, text: &str, expected: &str| {
        let mut files = good.clone();
        files.insert(name.to_owned(), text.as_bytes().to_vec());
        let fresh = Place::new();
        let folder = write(&files);
        let error = fresh
            .session()
            .load(&of(folder.path(), &[entry(Kind::Script, "1", 1, "x", 1)]), &run(), &mut Silent)
            .unwrap_err();
        assert_eq!(code(&error), expected, "{error}");
        assert!(fresh.ask("select name from sqlite_schema").is_empty());
        error
    };
    let error = broken("data/c.sql", "insert into c values (1);\ninsert into nope values (2);\n", "sql/SQLITE_ERROR");
    assert_eq!(error.place().unwrap().to_string(), "data/c.sql:2:1");
    broken("data/c.sql", "insert into c values (8);\n", "load/foreign-keys");
    broken("data/zz.sql", "select 1;\n", "load/stray-file");
    broken(
        "schema.sql",
        "create table p (id integer primary key); create table c (p references p); select 'open",
        "load/unreadable",
    );
}

#[test]
fn reset_leaves_an_empty_database() {
    let place = Place::new();
    let mut session = place.prepared();
    for (version, sql) in AWKWARD.split_inclusive(";\n").collect::<Vec<_>>().chunks(9).enumerate() {
        applied(&mut *session, &(version + 1).to_string(), &sql.concat());
    }
    place.raw().execute_batch("analyze").unwrap();
    session.reset(&mut Silent).unwrap();
    assert_eq!(
        place.ask("select name from sqlite_schema where name <> 'sqlite_sequence' and name not like 'sqlite_stat%'"),
        Vec::<String>::new()
    );
    assert_eq!(place.ask("select count(*) from sqlite_sequence"), ["0"]);
    assert_eq!(place.ask("pragma user_version"), ["0"]);
    let seen = session.inspect("shop").unwrap();
    assert_eq!((seen.journal, seen.objects.len()), (None, 0));
    session.prepare(None, false).unwrap();
    applied(&mut *session, "1", "create table p (id integer primary key); create table c (p references p);");
    let error = apply(&mut *session, script("2", "insert into c values (9);")).unwrap_err();
    assert_eq!(code(&error), "sql/SQLITE_CONSTRAINT_FOREIGNKEY");
}
