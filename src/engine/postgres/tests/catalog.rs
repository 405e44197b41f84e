//! The catalog on a real server: how it is asked for.

use std::path::PathBuf;

use super::fixture::{Database, applied, database, unit};
use crate::engine::{Access, Catalog, Engine};

/// Reads the catalog in a session of its own; returns it with what the server was asked in between, as its log has it.
fn read(db: &Database) -> (Catalog, Vec<String>) {
    let log = PathBuf::from(db.ask("show data_directory")).with_file_name("log");
    let begin = std::fs::metadata(&log).unwrap().len();
    let mut session = db.engine().connect(Access::Read).unwrap();
    let catalog = session.catalog().unwrap();
    drop(session);
    let bytes = std::fs::read(&log).unwrap();
    let text = String::from_utf8_lossy(&bytes[usize::try_from(begin).unwrap()..]).into_owned();
    let is_asked = |line: &&str| line.contains("LOG:  execute ") || line.contains("LOG:  statement: ");
    (catalog, text.lines().filter(is_asked).map(str::to_owned).collect())
}

#[test]
fn however_much_there_is_the_catalog_is_a_handful_of_queries_with_its_own_search_path() {
    let Some(db) = database() else { return };
    let tables = |range: std::ops::Range<u32>| {
        let table = |n| {
            format!(
                "create table t{n} (id serial primary key, x text check (x <> ''), at timestamptz default now());
                 create index t{n}_x on t{n} (x) where at is not null; comment on table t{n} is 'one of many';
                 create view v{n} as select id, x from t{n};
                 create function f{n}(a t{n}) returns text language sql as 'select $1.x';\n"
            )
        };
        range.map(table).collect::<String>()
    };
    let mut session = db.builder();
    applied(session.as_mut(), &unit("1", &tables(0..2)));
    db.ask(&format!("alter database {} set log_statement = 'all'", db.name));
    let (few, asked) = read(&db);
    applied(session.as_mut(), &unit("2", &tables(2..40)));
    let (many, asked_of_many) = read(&db);
    assert!(many.len() > 10 * few.len(), "{} {}", few.len(), many.len());
    assert_eq!(asked.len(), asked_of_many.len(), "{asked:?}\n{asked_of_many:?}");
    assert!((10..40).contains(&asked.len()), "{asked:?}");

    // What a session's own path leads to changes how the server writes names.
    db.ask(&format!("alter database {} set search_path = pg_temp, public, pg_catalog", db.name));
    assert_eq!(read(&db).0, many);
}
