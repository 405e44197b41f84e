//! Throwaway databases: each a file in a folder of its own among the temporary ones. What a killed run left is
//! removed by the next.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use self::template::{Template, Templates};
use super::Sqlite;
use super::database::Database;
use super::error::doing;
use crate::engine::{EngineError, Result, Scratch, ScratchWish, Throwaway};
use crate::host::Host;

mod template;

/// The folders of throwaway databases begin so; nothing else does.
const PREFIX: &str = "dbbuild-sqlite-";

/// A folder without a lock that is younger may be about to get one.
const YOUNG: Duration = Duration::from_secs(60);

/// Where throwaway databases are made, and templates of them kept.
#[derive(Clone)]
pub(super) struct Places {
    temporary: PathBuf,
    templates: Option<Templates>,
}

impl Places {
    pub fn of(host: &Host) -> Self {
        let temporary =
            if host.temporary.as_os_str().is_empty() { std::env::temp_dir() } else { host.temporary.clone() };
        Self { temporary, templates: Templates::of(host) }
    }

    /// Makes a throwaway database with the settings of another one.
    pub fn make(&self, like: &Database, wish: &ScratchWish<'_>) -> Result<Scratch> {
        self.collect();
        let mut like = like.clone();
        like.clock = wish.clock;
        let mut place = self.place(&like)?;
        if let (Some(template), Some(templates)) = (wish.template, &self.templates) {
            let template = templates.template(template, &like);
            template.copy_to(&place.file());
            place.template = Some(template);
        }
        Ok(self.open(place))
    }

    fn place(&self, like: &Database) -> Result<Place> {
        let io = |source| EngineError::Io { path: self.temporary.clone(), source };
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&self.temporary).map_err(io)?;
        let lock = File::create(folder.path().join("lock")).map_err(io)?;
        // Where the system has no locks, nothing is collected either.
        lock.try_lock().ok();
        Ok(Place { like: like.clone(), places: self.clone(), template: None, _lock: lock, folder })
    }

    fn open(&self, place: Place) -> Scratch {
        let database = Arc::new(place.like.scratch(place.file()));
        let clock = place.like.clock;
        Scratch::new(Box::new(Sqlite { database, places: self.clone() }), Box::new(place)).with_clock(clock)
    }

    /// Removes what killed runs left. What cannot be removed is tried again by a later run.
    fn collect(&self) {
        let Ok(entries) = self.temporary.read_dir() else { return };
        let ours = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
        for folder in ours.map(|entry| entry.path()) {
            let is_old = folder.metadata().and_then(|metadata| metadata.modified());
            let is_old = is_old.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > YOUNG));
            if is_old && is_abandoned(&folder.join("lock")) {
                std::fs::remove_dir_all(&folder).ok();
            }
        }
    }
}

/// Returns true if nobody holds the lock: the system takes it from a process that ends, however it ends.
fn is_abandoned(lock: &Path) -> bool {
    match File::open(lock) {
        Ok(file) => !matches!(file.try_lock(), Err(TryLockError::WouldBlock | TryLockError::Error(_))),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// A throwaway database's folder.
struct Place {
    like: Database,
    places: Places,
    template: Option<Template>,
    _lock: File,
    folder: TempDir,
}

impl Place {
    fn file(&self) -> PathBuf {
        self.folder.path().join("scratch.db")
    }
}

impl Throwaway for Place {
    fn copy(&mut self) -> Result<Option<Scratch>> {
        let place = self.places.place(&self.like)?;
        copy(&self.file(), &place.file())?;
        Ok(Some(self.places.open(place)))
    }

    fn keep(&mut self) {
        if let Some(template) = &self.template {
            template.keep(&self.file());
        }
    }

    fn leave(&mut self) {
        self.folder.disable_cleanup(true);
    }
}

/// Copies a database into a new file, page by page.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let copied = Connection::open_with_flags(from, flags).and_then(|source| {
        let mut copy = Connection::open(to)?;
        copy.execute_batch("pragma synchronous = off; pragma journal_mode = off")?;
        Backup::new(&source, &mut copy)?.run_to_completion(1 << 14, Duration::ZERO, None)?;
        // A database in WAL mode cannot even be read without files beside it.
        copy.execute_batch("pragma journal_mode = delete")
    });
    copied.map_err(doing("copying a scratch database"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
