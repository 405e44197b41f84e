//! The engine on real files.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::engine::{Access, Applied, Engine, EngineError, Mode, Outcome, Result, Session, Unit};
use crate::event::Silent;
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::journal::{Entry, Kind, NewEntry, Run, Stored};
use crate::project::{Address, Target};
use crate::script::{Text, cut, token_checksum};
use crate::sql::Dialect;

mod apply;
mod dumps;
mod guards;
mod opening;
mod resume;
mod seeds;

/// A database file in a folder that goes with the value.
struct Place {
    folder: tempfile::TempDir,
    target: Target,
    interrupt: Interrupt,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::at(Address::Sqlite(Some(folder.path().join("shop.db"))), "sqlite:shop.db");
        Self { folder, target, interrupt: Interrupt::default() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }

    fn engine(&self) -> Box<dyn Engine> {
        super::open(&self.target, &Host { user: Some("ann".into()), ..Host::default() }, &self.interrupt).unwrap()
    }

    fn session(&self) -> Box<dyn Session> {
        self.engine().connect(Access::Write).unwrap()
    }

    /// A session on a database whose journal is there.
    fn prepared(&self) -> Box<dyn Session> {
        let mut session = self.session();
        session.prepare(None, false).unwrap();
        session
    }

    fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }

    /// The first column of a query, each row as text.
    fn ask(&self, sql: &str) -> Vec<String> {
        let connection = self.raw();
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
        rows.map(|value| match value.unwrap() {
            rusqlite::types::Value::Null => "NULL".to_owned(),
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Real(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Blob(blob) => format!("{blob:?}"),
        })
        .collect()
    }

    fn files(&self) -> Vec<String> {
        names_in(self.folder.path())
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn run() -> Run {
    Run { id: "run-1".into(), tool_version: "0.1.0".into(), source_revision: None }
}

fn entry(kind: Kind, key: &str, attempt: i32, text: &str, statements: usize) -> NewEntry {
    let text = Text::of_file("db/x.sql", text.to_owned());
    NewEntry {
        project: "shop".into(),
        kind,
        key: key.into(),
        order_key: format!("{key:0>20}"),
        attempt,
        name: format!("script_{key}"),
        checksum: text.checksum(),
        token_checksum: token_checksum(text.as_str(), Dialect::Sqlite),
        text: Some(text.as_str().into()),
        state: Stored::Applied,
        statements: i32::try_from(statements).unwrap(),
        objects: Vec::new(),
    }
}

/// A script as the pipeline would hand it over.
fn script(version: &str, sql: &str) -> Unit {
    let text = Text::of_file(&format!("db/{version}.sql"), sql.to_owned());
    let cut = cut(&text, Dialect::Sqlite, &[]).unwrap();
    let mode = match (cut.no_transaction, cut.foreign_keys_off) {
        (true, _) => Mode::Statements,
        (_, true) => Mode::ForeignKeysOff,
        _ => Mode::Transaction,
    };
    Unit {
        entry: entry(Kind::Script, version, 1, sql, cut.parts.len()),
        text,
        parts: cut.parts,
        guards: cut.guards,
        mode,
        lock_timeout: cut.lock_timeout,
        statement_timeout: cut.statement_timeout,
        running: None,
        suspends: cut.suspends,
        isolation: cut.isolation,
        double_quoted_text: cut.double_quoted_text,
        fusible: cut.fusible,
    }
}

fn apply(session: &mut dyn Session, unit: Unit) -> Result<Outcome> {
    Ok(session.apply(&[unit], &run(), &mut Silent)?.remove(0))
}

fn applied(session: &mut dyn Session, version: &str, sql: &str) -> Applied {
    match apply(session, script(version, sql)).unwrap() {
        Outcome::Applied(applied) => applied,
        Outcome::Taken => panic!("{version} was taken"),
    }
}

fn newest(session: &mut dyn Session) -> Vec<Entry> {
    session.inspect("shop").unwrap().journal.unwrap()
}

fn code(error: &EngineError) -> String {
    error.code()
}

fn second() -> Duration {
    Duration::from_secs(1)
}
