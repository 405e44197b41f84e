//! What is the same for every session on one database: where it is, and what the settings and the host say.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::deadline::Deadline;
use super::error::doing;
use super::first::First;
use super::names::Names;
use crate::engine::{Clock, EngineError, Result};
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::project::{Address, LockMode, Target};

/// A database and how to work with it.
#[derive(Clone)]
pub(super) struct Database {
    place: Arc<Location>,
    /// The target as the user may see it.
    pub shown: String,
    /// How long to wait for another writer; zero waits for ever.
    pub patience: Duration,
    /// How long a statement may run; zero sets no limit.
    pub statement_timeout: Duration,
    /// The limit of the statement under way; each session has its own.
    pub deadline: Deadline,
    /// The journal that the next transaction makes; each session has its own.
    pub first: First,
    /// How many times a transactional text is tried again when the database is busy.
    pub retries: u32,
    /// False if only the journal's claim keeps builders apart.
    pub locks: bool,
    /// Who the journal says ran it.
    pub user: Option<String>,
    /// The names of the journal's tables.
    pub names: Names,
    /// The wish to stop.
    pub interrupt: Interrupt,
    /// The folders in which programs are looked for.
    pub programs: Vec<PathBuf>,
    /// True for a database that is thrown away: nothing is flushed to the disk.
    pub throwaway: bool,
    /// Which clock its functions tell.
    pub clock: Clock,
}

enum Location {
    File(PathBuf),
    /// A database of the `memdb` file system, shared by this process's connections under one name
    /// (<https://sqlite.org/src/file/src/memdb.c>). It lives as long as the connection kept here.
    Memory {
        uri: String,
        _anchor: Mutex<Connection>,
    },
}

impl Database {
    pub fn of(target: &Target, host: &Host, interrupt: &Interrupt) -> Result<Self> {
        let place = match &target.address {
            Address::Sqlite(Some(path)) => Location::File(path.clone()),
            Address::Sqlite(None) => Location::memory()?,
            Address::Postgres(_) => {
                return Err(EngineError::Refused {
                    code: "engine/not-sqlite",
                    message: format!("{} is no SQLite database", target.shown),
                    place: None,
                    hint: None,
                });
            }
        };
        let user = host.user.as_deref().or_else(|| host.variable("USER")).or_else(|| host.variable("USERNAME"));
        Ok(Self {
            place: Arc::new(place),
            shown: target.shown.clone(),
            patience: target.lock_timeout,
            statement_timeout: target.statement_timeout,
            deadline: Deadline::default(),
            first: First::default(),
            retries: target.retries,
            locks: target.lock == LockMode::Session,
            user: user.map(str::to_owned),
            names: Names::with_prefix(&target.journal_name),
            interrupt: interrupt.clone(),
            programs: host.search_path(),
            throwaway: false,
            clock: Clock::Own,
        })
    }

    /// Returns a throwaway database in a file, with this one's settings.
    pub fn scratch(&self, file: PathBuf) -> Self {
        Self {
            place: Arc::new(Location::File(file)),
            shown: "sqlite: scratch database".to_owned(),
            locks: false,
            throwaway: true,
            ..self.clone()
        }
    }

    /// Returns the same for one session of its own.
    pub fn for_session(&self) -> Self {
        Self { deadline: Deadline::default(), first: First::default(), ..self.clone() }
    }

    /// Returns the same with the limits that a text sets itself.
    pub fn limited(&self, lock_timeout: Option<Duration>, statement_timeout: Option<Duration>) -> Self {
        Self {
            patience: lock_timeout.unwrap_or(self.patience),
            statement_timeout: statement_timeout.unwrap_or(self.statement_timeout),
            ..self.clone()
        }
    }

    /// Returns the file; `None` for a database in memory.
    pub fn file(&self) -> Option<&Path> {
        match &*self.place {
            Location::File(path) => Some(path),
            Location::Memory { .. } => None,
        }
    }

    /// Returns the name that SQLite opens, and the flags that make it read so.
    pub fn address(&self) -> (PathBuf, OpenFlags) {
        match &*self.place {
            Location::File(path) => (path.clone(), OpenFlags::empty()),
            Location::Memory { uri, .. } => (PathBuf::from(uri), OpenFlags::SQLITE_OPEN_URI),
        }
    }

    /// Returns the file that SQLite keeps beside the database under a suffix: `-wal`, `-shm`, `-journal`.
    pub fn beside(&self, suffix: &str) -> Option<PathBuf> {
        self.file().map(|file| beside(file, suffix))
    }

    /// Removes the database with what stands beside it; false if it was not there.
    pub fn remove(&self) -> Result<bool> {
        let Some(file) = self.file() else { return Ok(true) };
        if !file.exists() {
            return Ok(false);
        }
        super::connection::refuse_if_held(self)?;
        // The database first: a WAL without its database is litter, a database without its WAL is corrupt.
        let gone = ["", "-journal", "-wal", "-shm"].into_iter().map(|suffix| beside(file, suffix));
        for path in gone {
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(EngineError::Io { path, source }),
            }
        }
        Ok(true)
    }
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl Location {
    fn memory() -> Result<Self> {
        let uri = format!("file:/dbbuild-{:016x}?vfs=memdb", fastrand::u64(..));
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI;
        let anchor = Connection::open_with_flags(&uri, flags).map_err(doing("opening a database in memory"))?;
        Ok(Self::Memory { uri, _anchor: Mutex::new(anchor) })
    }
}
