//! Opening: what a connection is set to, and how a database is read without leaving a trace.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, ffi};

use super::clock;
use super::database::Database;
use super::error::{doing, is_interrupt, met, said};
use crate::engine::{Access, Clock, EngineError, Result};

/// After so many steps of SQLite's virtual machine the wish to stop is looked at.
const STEPS: i32 = 2_000;

/// What a writer keeps of a target's pages, in KiB.
const CACHE: i32 = 16 << 10;

/// Opens a connection and sets it up. `Access::Read` creates nothing.
pub(super) fn open(database: &Database, access: Access) -> Result<Connection> {
    let connection = match access {
        Access::Read => open_to_read(database)?,
        Access::Write => open_to_write(database)?,
    };
    match set_up(connection, database, access) {
        Err(error) if access == Access::Read && was_cut_short(&error) => {
            // What a killed writer left can only be put right by one who may write; SQLite does that by itself.
            open_to_write(database).and_then(|connection| {
                set_up(connection, database, Access::Write).map_err(|_| cannot(database, &error))
            })?;
            set_up(open_to_read(database)?, database, access).map_err(|error| cannot(database, &error))
        }
        other => other.map_err(|error| cannot(database, &error)),
    }
}

/// Returns true if a journal must be rolled back, or a write-ahead log recovered, before anything can be read.
fn was_cut_short(error: &rusqlite::Error) -> bool {
    let code = said(error).failure.code;
    ["SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY", "SQLITE_READONLY_CANTLOCK"].contains(&code.as_str())
}

fn open_to_write(database: &Database) -> Result<Connection> {
    if let Some(file) = database.file() {
        make_parent(file)?;
    }
    let (name, flags) = database.address();
    let flags = flags
        | OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(name, flags).map_err(|error| cannot(database, &error))?;
    // SQLite opens a write-protected file for reading without a word.
    if connection.is_readonly("main").map_err(doing("opening the database"))? {
        return Err(EngineError::Unreachable {
            target: database.shown.clone(),
            message: "the file is write-protected".to_owned(),
            hint: Some("give yourself the right to write it, or name another target".to_owned()),
        });
    }
    Ok(connection)
}

/// Makes the folder that the file stands in, like `target/`; never more than that one.
fn make_parent(file: &Path) -> Result<()> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) else {
        return Ok(());
    };
    match std::fs::create_dir(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(EngineError::Io { path: folder.to_owned(), source }),
    }
}

fn open_to_read(database: &Database) -> Result<Connection> {
    let (name, flags) = database.address();
    let flags =
        flags | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let Some(file) = database.file() else {
        return Connection::open_with_flags(name, flags).map_err(|error| cannot(database, &error));
    };
    if !file.exists() {
        return Err(EngineError::NoDatabase { target: database.shown.clone() });
    }
    let opened = if rests_in_wal_mode(database) {
        Connection::open_with_flags(immutable_uri(file), flags | OpenFlags::SQLITE_OPEN_URI)
    } else {
        Connection::open_with_flags(name, flags)
    };
    opened.map_err(|error| cannot(database, &error))
}

/// Returns true for a database in WAL mode that no one has open and that needs no recovery.
///
/// Even a read-only connection makes `-wal` and `-shm` files beside such a database and leaves them there, and
/// cannot read it at all in a folder that it may not write (<https://sqlite.org/wal.html#readonly>). Opened as
/// immutable it is read as it is.
pub(super) fn rests_in_wal_mode(database: &Database) -> bool {
    let (Some(file), Some(wal)) = (database.file(), database.beside("-wal")) else { return false };
    // Asked first: a program that has the database open in WAL mode keeps a lock on the file, which it would lose if
    // it were this one (<https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_>).
    if wal.exists() {
        return false;
    }
    // Bytes 18 and 19 are the versions of the file format for writing and reading; 2 is WAL
    // (<https://sqlite.org/fileformat2.html#file_format_version_numbers>).
    let mut head = [0; 20];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && head.starts_with(b"SQLite format 3\0") && head[18..20] == [2, 2]
}

fn immutable_uri(file: &Path) -> PathBuf {
    // What a URI would read as its own syntax (<https://sqlite.org/uri.html>).
    let path = file.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let path = if cfg!(windows) { format!("/{}", path.replace('\\', "/")) } else { path };
    PathBuf::from(format!("file:{path}?immutable=1"))
}

fn set_up(mut connection: Connection, database: &Database, access: Access) -> rusqlite::Result<Connection> {
    connection.busy_timeout(patience(database))?;
    let (interrupt, deadline) = (database.interrupt.clone(), database.deadline.clone());
    // Asked by SQLite itself, so that a wish to stop is heard whenever it is raised: an interrupt from outside
    // between two statements would be forgotten when the next one begins.
    connection.progress_handler(STEPS, Some(move || interrupt.is_raised() || deadline.has_passed()))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    match (access, database.throwaway) {
        (Access::Read, _) => {}
        // What outgrows the cache before the end of a transaction is written twice, and synchronised in between.
        (Access::Write, false) => connection.pragma_update(None, "cache_size", -CACHE)?,
        (Access::Write, true) => forget_on_a_crash(&connection)?,
    }
    if database.clock == Clock::Other {
        clock::turn(&connection)?;
    }
    // The first read: says whether this is a database at all.
    connection.query_row("pragma schema_version", [], |_| Ok(()))?;
    Ok(connection)
}

/// Nothing of a throwaway database has to outlive a crash.
fn forget_on_a_crash(connection: &Connection) -> rusqlite::Result<()> {
    // Where a script chose WAL the file stays in it: leaving it needs every other connection gone.
    let mode: String = connection.query_row("pragma journal_mode", [], |row| row.get(0))?;
    if mode != "wal" {
        connection.pragma_update_and_check(None, "journal_mode", "memory", |_| Ok(()))?;
    }
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(())
}

/// Returns how long SQLite itself waits for another connection, in the settings' sense of zero.
pub(super) fn patience(database: &Database) -> Duration {
    const EVER: Duration = Duration::from_secs(24 * 60 * 60);
    if database.patience.is_zero() { EVER } else { database.patience }
}

fn cannot(database: &Database, error: &rusqlite::Error) -> EngineError {
    let said = said(error).failure;
    if said.is_somebody_else() || is_interrupt(error) {
        return met(&format!("opening {}", database.shown), error);
    }
    let (message, hint) = match said.code.as_str() {
        "SQLITE_NOTADB" => (
            "the file is no SQLite database (or an encrypted one)".to_owned(),
            Some("check the path in the target's URL".to_owned()),
        ),
        "SQLITE_CANTOPEN" | "SQLITE_CANTOPEN_ISDIR" => {
            (said.message, Some("check that it is a file, and that it and its folder may be read".to_owned()))
        }
        "SQLITE_READONLY_ROLLBACK" | "SQLITE_READONLY_RECOVERY" | "SQLITE_READONLY_CANTLOCK" => (
            "a program that wrote to it was cut short, and reading alone may not put that right".to_owned(),
            Some("open it once with the right to write it and its folder".to_owned()),
        ),
        // SQLite reads a folder as a file until the system says no (Linux: EISDIR).
        _ if database.file().is_some_and(Path::is_dir) => {
            ("it is a folder".to_owned(), Some("name a file in it: `sqlite:FOLDER/NAME.db`".to_owned()))
        }
        _ => {
            (said.message, Some("see that the disk is sound, and that the path is right: `dbbuild config`".to_owned()))
        }
    };
    EngineError::Unreachable { target: database.shown.clone(), message, hint }
}

/// Refuses if another connection is at work in the database.
pub(super) fn refuse_if_held(database: &Database) -> Result<()> {
    let (name, flags) = database.address();
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(connection) = Connection::open_with_flags(name, flags) else { return Ok(()) };
    // In WAL mode this needs every other connection gone (<https://sqlite.org/pragma.html#pragma_locking_mode>);
    // in the other modes only those that are inside a transaction can be known.
    let asked = connection
        .busy_timeout(Duration::from_millis(200))
        .and_then(|()| connection.execute_batch("pragma locking_mode = exclusive; begin exclusive; rollback"));
    match asked {
        Err(error) if error.sqlite_error_code() == Some(ffi::ErrorCode::DatabaseBusy) => Err(EngineError::Refused {
            code: "sqlite/in-use",
            message: format!("another program is using {}", database.shown),
            place: None,
            hint: Some("end it and try again".to_owned()),
        }),
        // What is no database, or a broken one, holds nobody's lock.
        Ok(()) | Err(_) => Ok(()),
    }
}
