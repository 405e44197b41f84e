//! Beginning and ending transactions: `BEGIN IMMEDIATE` only, and never one left open.
//!
//! A deferred transaction that turns to writing after somebody else wrote fails at once, whatever the busy
//! timeout (<https://sqlite.org/lang_transaction.html>).

use std::time::{Duration, Instant};

use rusqlite::{Connection, ffi};

use super::connection::patience;
use super::database::Database;
use super::error::{doing, interrupted, is_busy};
use crate::engine::{EngineError, Result};
use crate::event::{Event, Observer};

/// How long SQLite waits by itself before the wish to stop is looked at again.
const POLL: Duration = Duration::from_millis(100);

/// Begins a transaction that may write, waiting for other writers as long as the settings say. The first one makes
/// the journal if that is wanted.
pub(super) fn begin(connection: &Connection, database: &Database) -> Result<()> {
    waiting(connection, database, "begin immediate", "beginning a transaction")?;
    database.first.make(connection, database).map_err(|error| rolled_back(connection, error))
}

/// Commits. If that fails the transaction is rolled back.
pub(super) fn commit(connection: &Connection, database: &Database) -> Result<()> {
    waiting(connection, database, "commit", "committing").map_err(|error| rolled_back(connection, error))?;
    database.first.is_made();
    Ok(())
}

/// Runs something inside a transaction: all of it or, on an error, none.
pub(super) fn within<T>(
    connection: &Connection,
    database: &Database,
    work: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    begin(connection, database)?;
    match work(connection) {
        Ok(value) => commit(connection, database).map(|()| value),
        Err(error) => Err(rolled_back(connection, error)),
    }
}

/// Rolls back and hands on why. A rollback that fails itself is part of the answer.
pub(super) fn rolled_back(connection: &Connection, why: EngineError) -> EngineError {
    if connection.is_autocommit() {
        return why;
    }
    match connection.execute_batch("rollback") {
        Ok(()) => why,
        Err(error) => match doing("rolling back")(error) {
            EngineError::Sql { doing, mut failure } => {
                failure.detail = Some(format!("after: {why}"));
                EngineError::Sql { doing, failure }
            }
            other => other,
        },
    }
}

/// Tries work again, as a whole, while another connection is in its way.
pub(super) fn retrying<T>(
    database: &Database,
    name: &str,
    observer: &mut dyn Observer,
    mut work: impl FnMut(&mut dyn Observer) -> Result<T>,
) -> Result<T> {
    let mut attempt = 1;
    loop {
        match work(observer) {
            Err(error) if is_busy(&error) && attempt <= database.retries && !database.interrupt.is_raised() => {
                attempt += 1;
                observer.event(Event::Retrying { name: name.to_owned(), reason: error.to_string(), attempt });
                std::thread::sleep(Duration::from_millis(fastrand::u64(20..200)));
            }
            other => return other,
        }
    }
}

fn waiting(connection: &Connection, database: &Database, sql: &str, what: &str) -> Result<()> {
    let since = Instant::now();
    let limit = patience(database);
    connection.busy_timeout(POLL.min(limit)).map_err(doing(what))?;
    let result = loop {
        match connection.execute_batch(sql) {
            Err(error) if is_locked(&error) && since.elapsed() < limit => {
                if database.interrupt.is_raised() {
                    break Err(interrupted());
                }
            }
            other => break other.map_err(doing(what)),
        }
    };
    connection.busy_timeout(limit).map_err(doing(what))?;
    result
}

fn is_locked(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ffi::ErrorCode::DatabaseBusy | ffi::ErrorCode::DatabaseLocked))
}
