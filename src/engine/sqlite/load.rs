//! Loading what `dump` wrote into an empty database, in one transaction with the entries.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::database::Database;
use super::dump::catalog;
use super::error::{doing, interrupted, is_interrupt, said};
use super::foreign_keys::{orphans, turn, worse};
use super::{inspect, journal, rows, transaction};
use crate::engine::{EngineError, Load, Result, UnitFailure};
use crate::error::Place;
use crate::event::{Event, Observer};
use crate::journal::Run;
use crate::sql::{Dialect, Span, Statements};

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

/// Runs one file. A dump holds no carriage return, so that any that is there came with the checkout.
fn file(connection: &Connection, database: &Database, folder: &Path, name: &str) -> Result<()> {
    let path: PathBuf = folder.join(name);
    let text = std::fs::read_to_string(&path).map_err(|source| EngineError::Io { path, source })?;
    let text = if text.contains('\r') { text.replace("\r\n", "\n") } else { text };
    for statement in Statements::new(&text, Dialect::Sqlite) {
        if database.interrupt.is_raised() {
            return Err(interrupted());
        }
        let statement = statement.map_err(|error| EngineError::Refused {
            code: "load/unreadable",
            message: error.to_string(),
            place: Some(Place::new(name, &text, error.span)),
            hint: None,
        })?;
        let ran = connection.prepare(statement.text(&text)).and_then(|mut prepared| {
            let mut rows = prepared.raw_query();
            while rows.next()?.is_some() {}
            Ok(())
        });
        ran.map_err(|error| failed(name, &text, statement.span, &error))?;
    }
    Ok(())
}

fn failed(name: &str, text: &str, span: Span, error: &rusqlite::Error) -> EngineError {
    if is_interrupt(error) {
        return interrupted();
    }
    let first_line = span.text(text).lines().next().map_or(0, str::len);
    let place = Place::new(name, text, Span::new(span.start, span.start + first_line));
    EngineError::Unit(Box::new(UnitFailure { unit: 0, failure: said(error).failure, place: Some(place), kept: None }))
}
