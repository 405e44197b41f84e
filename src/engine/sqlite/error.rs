//! From rusqlite's errors to the tool's own. Nothing of rusqlite gets past this folder.

use rusqlite::ffi;

use crate::engine::{EngineError, SqlFailure};

/// Extended result codes by name (<https://sqlite.org/rescode.html>); the rest go by number.
const CODES: [(i32, &str); 48] = [
    (ffi::SQLITE_ERROR, "SQLITE_ERROR"),
    (ffi::SQLITE_INTERNAL, "SQLITE_INTERNAL"),
    (ffi::SQLITE_PERM, "SQLITE_PERM"),
    (ffi::SQLITE_ABORT, "SQLITE_ABORT"),
    (ffi::SQLITE_BUSY, "SQLITE_BUSY"),
    (ffi::SQLITE_LOCKED, "SQLITE_LOCKED"),
    (ffi::SQLITE_NOMEM, "SQLITE_NOMEM"),
    (ffi::SQLITE_READONLY, "SQLITE_READONLY"),
    (ffi::SQLITE_INTERRUPT, "SQLITE_INTERRUPT"),
    (ffi::SQLITE_IOERR, "SQLITE_IOERR"),
    (ffi::SQLITE_CORRUPT, "SQLITE_CORRUPT"),
    (ffi::SQLITE_NOTFOUND, "SQLITE_NOTFOUND"),
    (ffi::SQLITE_FULL, "SQLITE_FULL"),
    (ffi::SQLITE_CANTOPEN, "SQLITE_CANTOPEN"),
    (ffi::SQLITE_PROTOCOL, "SQLITE_PROTOCOL"),
    (ffi::SQLITE_SCHEMA, "SQLITE_SCHEMA"),
    (ffi::SQLITE_TOOBIG, "SQLITE_TOOBIG"),
    (ffi::SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT"),
    (ffi::SQLITE_MISMATCH, "SQLITE_MISMATCH"),
    (ffi::SQLITE_MISUSE, "SQLITE_MISUSE"),
    (ffi::SQLITE_NOLFS, "SQLITE_NOLFS"),
    (ffi::SQLITE_AUTH, "SQLITE_AUTH"),
    (ffi::SQLITE_RANGE, "SQLITE_RANGE"),
    (ffi::SQLITE_NOTADB, "SQLITE_NOTADB"),
    (ffi::SQLITE_BUSY_RECOVERY, "SQLITE_BUSY_RECOVERY"),
    (ffi::SQLITE_BUSY_SNAPSHOT, "SQLITE_BUSY_SNAPSHOT"),
    (ffi::SQLITE_BUSY_TIMEOUT, "SQLITE_BUSY_TIMEOUT"),
    (ffi::SQLITE_READONLY_RECOVERY, "SQLITE_READONLY_RECOVERY"),
    (ffi::SQLITE_READONLY_CANTLOCK, "SQLITE_READONLY_CANTLOCK"),
    (ffi::SQLITE_READONLY_ROLLBACK, "SQLITE_READONLY_ROLLBACK"),
    (ffi::SQLITE_READONLY_DBMOVED, "SQLITE_READONLY_DBMOVED"),
    (ffi::SQLITE_READONLY_DIRECTORY, "SQLITE_READONLY_DIRECTORY"),
    (ffi::SQLITE_CANTOPEN_ISDIR, "SQLITE_CANTOPEN_ISDIR"),
    (ffi::SQLITE_IOERR_READ, "SQLITE_IOERR_READ"),
    (ffi::SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE"),
    (ffi::SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"),
    (ffi::SQLITE_CONSTRAINT_CHECK, "SQLITE_CONSTRAINT_CHECK"),
    (ffi::SQLITE_CONSTRAINT_COMMITHOOK, "SQLITE_CONSTRAINT_COMMITHOOK"),
    (ffi::SQLITE_CONSTRAINT_FOREIGNKEY, "SQLITE_CONSTRAINT_FOREIGNKEY"),
    (ffi::SQLITE_CONSTRAINT_FUNCTION, "SQLITE_CONSTRAINT_FUNCTION"),
    (ffi::SQLITE_CONSTRAINT_NOTNULL, "SQLITE_CONSTRAINT_NOTNULL"),
    (ffi::SQLITE_CONSTRAINT_PRIMARYKEY, "SQLITE_CONSTRAINT_PRIMARYKEY"),
    (ffi::SQLITE_CONSTRAINT_TRIGGER, "SQLITE_CONSTRAINT_TRIGGER"),
    (ffi::SQLITE_CONSTRAINT_UNIQUE, "SQLITE_CONSTRAINT_UNIQUE"),
    (ffi::SQLITE_CONSTRAINT_VTAB, "SQLITE_CONSTRAINT_VTAB"),
    (ffi::SQLITE_CONSTRAINT_ROWID, "SQLITE_CONSTRAINT_ROWID"),
    (ffi::SQLITE_CONSTRAINT_DATATYPE, "SQLITE_CONSTRAINT_DATATYPE"),
    (ffi::SQLITE_CORRUPT_INDEX, "SQLITE_CORRUPT_INDEX"),
];

/// What SQLite said, and the byte in its statement that it said it of.
pub(super) struct Said {
    pub failure: SqlFailure,
    pub offset: Option<usize>,
}

/// Reads an error of rusqlite's.
pub(super) fn said(error: &rusqlite::Error) -> Said {
    let (code, message, offset) = match error {
        rusqlite::Error::SqlInputError { error, msg, offset, .. } => {
            (name(error.extended_code), msg.clone(), usize::try_from(*offset).ok())
        }
        rusqlite::Error::SqliteFailure(error, message) => {
            let message = message.clone().unwrap_or_else(|| ffi::code_to_str(error.extended_code).to_owned());
            (name(error.extended_code), message, None)
        }
        rusqlite::Error::MultipleStatement => {
            ("SQLITE_MISUSE".to_owned(), "SQLite reads more than one statement here".to_owned(), None)
        }
        other => ("SQLITE_MISUSE".to_owned(), other.to_string(), None),
    };
    let failure = SqlFailure { code, message, detail: None, hint: None, context: None, position: None };
    Said { failure, offset }
}

fn name(code: i32) -> String {
    let known = CODES.iter().find(|(known, _)| *known == code);
    known.map_or_else(|| format!("SQLITE_{code}"), |(_, name)| (*name).to_owned())
}

/// Returns what turns an error of rusqlite's, met while doing something of the tool's own, into the tool's.
pub(super) fn doing(what: &str) -> impl Fn(rusqlite::Error) -> EngineError + '_ {
    move |error| met(what, &error)
}

/// Turns an error of rusqlite's, met while doing something of the tool's own, into the tool's.
pub(super) fn met(doing: &str, error: &rusqlite::Error) -> EngineError {
    if is_interrupt(error) {
        return interrupted();
    }
    EngineError::Sql { doing: doing.to_owned(), failure: Box::new(said(error).failure) }
}

/// Returns true if a statement stopped because somebody asked for it.
pub(super) fn is_interrupt(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ffi::ErrorCode::OperationInterrupted)
}

/// Returns the failure of work that somebody stopped and that was rolled back.
pub(super) fn interrupted() -> EngineError {
    EngineError::Interrupted { kept: "what was under way was rolled back".to_owned() }
}

/// Returns true if another connection was in the way, so that the same work may well succeed later.
pub(super) fn is_busy(error: &EngineError) -> bool {
    let code = match error {
        EngineError::Unit(unit) => &unit.failure.code,
        EngineError::Sql { failure, .. } => &failure.code,
        _ => return false,
    };
    code.starts_with("SQLITE_BUSY") || code.starts_with("SQLITE_LOCKED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_stopped_did_not_fail() {
        let stopped = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None);
        let names = crate::engine::sqlite::names::Names::with_prefix("dbbuild");
        for error in [met("looking", &stopped), crate::engine::sqlite::journal::unusable(&names, &stopped)] {
            assert!(matches!(error, EngineError::Interrupted { .. }), "{error}");
        }
    }
}
