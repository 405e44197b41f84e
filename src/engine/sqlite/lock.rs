//! The build lock: an operating system's lock on a file beside the database.
//!
//! It keeps builders in order and tells them apart from dead ones; what makes them correct is the journal's claim
//! and `BEGIN IMMEDIATE`. It dies with the process that holds it, and its file goes when it is released. A file
//! that a killed builder left means nothing and is taken over by the next.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::database::Database;
use super::error::interrupted;
use crate::engine::{EngineError, Result, Wait};
use crate::event::{Event, Observer};

/// A held build lock. Dropping it releases it.
#[derive(Debug)]
pub(super) struct BuildLock {
    path: PathBuf,
    file: File,
}

/// Takes the lock of a database, polling.
pub(super) fn take(database: &Database, file: &Path, wait: Wait, observer: &mut dyn Observer) -> Result<BuildLock> {
    // Builders that reach one file by different links must meet.
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut name = file.into_os_string();
    name.push("-dbbuild-lock");
    let path = PathBuf::from(name);
    let since = Instant::now();
    let mut told: Option<u64> = None;
    loop {
        let io = |source| EngineError::Io { path: path.clone(), source };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) if is_linked(&file, &path) => {
                let mut lock = BuildLock { path: path.clone(), file };
                lock.sign(database).map_err(io)?;
                return Ok(lock);
            }
            // Whoever held it has removed the file in between: this is the lock of nothing.
            Ok(()) => continue,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let waited = since.elapsed();
        let holder = holder(file);
        if wait.limit.is_some_and(|limit| waited >= limit) {
            return Err(EngineError::Locked { holder, waited });
        }
        if database.interrupt.is_raised() {
            return Err(interrupted());
        }
        if told != Some(waited.as_secs()) {
            told = Some(waited.as_secs());
            observer.event(Event::Waiting { holder, seconds: waited.as_secs() });
        }
        std::thread::sleep(Duration::from_millis(fastrand::u64(20..100)));
    }
}

impl BuildLock {
    /// Writes who holds it, for those who wait.
    fn sign(&mut self, database: &Database) -> std::io::Result<()> {
        let user = database.user.as_deref().unwrap_or("somebody");
        let since = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC");
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        write!(self.file, "pid {}, {user}, since {since}", std::process::id())
    }
}

impl Drop for BuildLock {
    fn drop(&mut self) {
        // Removed while it is held, so that nobody can hold a lock on a file that has lost its name without
        // noticing (`is_linked`). If that fails the file stays, and means nothing.
        if cfg!(unix) {
            std::fs::remove_file(&self.path).ok();
        }
    }
}

/// Returns true if the path still leads to the file that was opened.
#[cfg(unix)]
fn is_linked(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(opened), Ok(named)) = (file.metadata(), std::fs::metadata(path)) else { return false };
    (opened.dev(), opened.ino()) == (named.dev(), named.ino())
}

/// Elsewhere the file is never removed.
#[cfg(not(unix))]
fn is_linked(_: &File, _: &Path) -> bool {
    true
}

fn holder(mut file: File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        // Just taken and not yet signed, or a system whose locks keep readers out too.
        Ok(_) | Err(_) => "another build".to_owned(),
    }
}
