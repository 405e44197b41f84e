//! Loading what `dump` wrote into an empty database, in one transaction with the entries.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::database::Database;
use super::dump::catalog;
use super::error::{doing, interrupted, is_interrupt, said};
use super::foreign_keys::{orphans, turn, worse};
use super::run::as_kept;
use super::{inspect, journal, rows, transaction};
use crate::engine::{EngineError, Load, Result, UnitFailure};
use crate::error::Place;
use crate::event::{Event, Observer};
use crate::journal::Run;
use crate::sql::{Dialect, Span, Statement, Statements};

/// Loads a dump. Whatever happens, triggers and foreign keys are on again afterwards.
pub(super) fn load(
    connection: &Connection,
    database: &Database,
    load: &Load<'_>,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<bool> {
    turn(connection, false)?;
    let result = prepared(connection).and_then(|()| {
        transaction::within(connection, database, |connection| {
            let objects = inspect::objects(connection, &database.names)?;
            if !objects.is_empty() {
                return Err(EngineError::Refused {
                    code: "load/not-empty",
                    message: format!("the database is not empty: {}", objects.join(", ")),
                    place: None,
                    hint: None,
                });
            }
            everything(connection, database, load.folder, observer)?;
            journal::create(connection, &database.names)?;
            for entry in load.entries {
                journal::write(connection, database, entry, run)?;
            }
            for seed in load.tracked {
                rows::track(connection, database, seed)?;
            }
            Ok(true)
        })
    });
    let restored = restored(connection);
    result.and_then(|loaded| restored.map(|()| loaded))
}

/// Rows are put in as they were: no trigger may add to them. Old definitions may hold double-quoted text.
fn prepared(connection: &Connection) -> Result<()> {
    let set = |what, on| connection.set_db_config(what, on).map(|_| ()).map_err(doing("preparing to load"));
    set(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    set(DbConfig::SQLITE_DBCONFIG_DQS_DDL, true)?;
    set(DbConfig::SQLITE_DBCONFIG_DQS_DML, true)
}

fn restored(connection: &Connection) -> Result<()> {
    let set = |what, on| connection.set_db_config(what, on).map(|_| ()).map_err(doing("ending to load"));
    set(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
    super::dqs::allow_what_is_there(connection).map_err(doing("reading the schema"))?;
    turn(connection, true)
}

fn everything(connection: &Connection, database: &Database, folder: &Path, observer: &mut dyn Observer) -> Result<()> {
    file(connection, database, folder, "schema.sql")?;
    let catalog = catalog::read(connection, &database.names).map_err(doing("reading the schema"))?;
    let mut files = files(&folder.join("data"))?;
    for (at, table) in catalog.tables.iter().enumerate() {
        if files.remove(&table.file_name()) {
            let done = Some((at as u64, catalog.tables.len() as u64));
            observer.event(Event::Progress { name: "load".to_owned(), message: table.name.clone(), done });
            file(connection, database, folder, &format!("data/{}", table.file_name()))?;
        }
    }
    if let Some(left) = files.first() {
        let message = format!("data/{left} is the file of no table in schema.sql");
        return Err(EngineError::Refused { code: "load/stray-file", message, place: None, hint: None });
    }
    let orphans = match orphans(connection) {
        Ok(orphans) => orphans,
        // A foreign key to what is no key: SQLite lets it be defined, and lets nothing be checked.
        Err(error) if said(&error).failure.message.contains("foreign key mismatch") => return Ok(()),
        Err(error) => return Err(doing("checking foreign keys")(error)),
    };
    match worse(&super::foreign_keys::Orphans::new(), &orphans) {
        None => Ok(()),
        Some(orphan) => {
            let message = format!("the rows do not fit together: {orphan}");
            Err(EngineError::Refused { code: "load/foreign-keys", message, place: None, hint: None })
        }
    }
}

fn files(folder: &Path) -> Result<BTreeSet<String>> {
    let io = |source| EngineError::Io { path: folder.to_owned(), source };
    if !folder.exists() {
        return Ok(BTreeSet::new());
    }
    let entries = std::fs::read_dir(folder).map_err(io)?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    let names: BTreeSet<String> = names.collect::<std::io::Result<_>>().map_err(io)?;
    Ok(names.into_iter().filter(|name| name.ends_with(".sql")).collect())
}

/// How much of a file is read at a time.
const CHUNK: usize = 1 << 20;

/// Runs one file, a stretch at a time: it may hold millions of rows.
fn file(connection: &Connection, database: &Database, folder: &Path, name: &str) -> Result<()> {
    let path: PathBuf = folder.join(name);
    let io = |source| EngineError::Io { path: path.clone(), source };
    let mut source = std::fs::File::open(&path).map_err(io)?;
    let mut stretch = Stretch { name, text: String::new(), lines: 0 };
    let (mut bytes, mut wanted) = (Vec::new(), CHUNK);
    loop {
        let read = (&mut source).take(wanted as u64).read_to_end(&mut bytes).map_err(io)?;
        let is_last = read < wanted;
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text,
            // A character that the next stretch has the rest of.
            Err(error) if error.error_len().is_none() && !is_last => {
                std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(error) => return Err(io(std::io::Error::new(std::io::ErrorKind::InvalidData, error))),
        };
        // A line break that was cut in two stays for the next one.
        let text = if is_last { text } else { text.strip_suffix('\r').unwrap_or(text) };
        let used = text.len();
        // A dump holds no carriage return, so that any that is there came with the checkout.
        match text.contains('\r') {
            true => stretch.text.push_str(&text.replace("\r\n", "\n")),
            false => stretch.text.push_str(text),
        }
        bytes.drain(..used);
        let done = stretch.run(connection, database, is_last)?;
        if is_last {
            return Ok(());
        }
        // A statement that is longer than a stretch is read to its end in ever longer ones.
        wanted = if done { CHUNK } else { wanted * 2 };
    }
}

/// A part of a file that begins with a statement.
struct Stretch<'a> {
    name: &'a str,
    text: String,
    /// The lines of the file before it.
    lines: usize,
}

impl Stretch<'_> {
    /// Runs the statements that are whole, and keeps the rest. Returns false if there are none.
    fn run(&mut self, connection: &Connection, database: &Database, is_last: bool) -> Result<bool> {
        let mut whole: Option<Statement> = None;
        let mut end = 0;
        for statement in Statements::new(&self.text, Dialect::Sqlite) {
            if database.interrupt.is_raised() {
                return Err(interrupted());
            }
            match statement {
                // The last one may go on in the next stretch.
                Ok(next) => {
                    if let Some(statement) = whole.replace(next) {
                        self.execute(connection, statement.span)?;
                        end = statement.tail.end;
                    }
                }
                Err(_) if !is_last => break,
                Err(error) => {
                    return Err(EngineError::Refused {
                        code: "load/unreadable",
                        message: error.to_string(),
                        place: Some(self.place(error.span)),
                        hint: None,
                    });
                }
            }
        }
        if let Some(statement) = whole.filter(|_| is_last) {
            self.execute(connection, statement.span)?;
        }
        self.lines += self.text[..end].matches('\n').count();
        self.text.drain(..end);
        Ok(end > 0)
    }

    fn execute(&self, connection: &Connection, span: Span) -> Result<()> {
        let ran = connection.prepare(as_kept(&self.text, span).text(&self.text)).and_then(|mut prepared| {
            let mut rows = prepared.raw_query();
            while rows.next()?.is_some() {}
            Ok(())
        });
        ran.map_err(|error| {
            let first_line = span.text(&self.text).lines().next().map_or(0, str::len);
            failed(self.place(Span::new(span.start, span.start + first_line)), &error)
        })
    }

    fn place(&self, span: Span) -> Place {
        let place = Place::new(self.name, &self.text, span);
        Place { line: place.line + self.lines, ..place }
    }
}

fn failed(place: Place, error: &rusqlite::Error) -> EngineError {
    if is_interrupt(error) {
        return interrupted();
    }
    EngineError::Unit(Box::new(UnitFailure { unit: 0, failure: said(error).failure, place: Some(place), kept: None }))
}
