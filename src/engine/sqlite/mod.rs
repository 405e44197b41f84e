//! SQLite: one file, one process, no server.
//!
//! Promises: a transactional text and its entry commit together; looking at a database creates and changes
//! nothing, not even beside it; nothing of rusqlite leaves this folder.

use std::path::Path;
use std::sync::Arc;

use super::{Access, Engine, Offline, Result, RowFile, Scratch, ScratchWish, Session, Unit};
use crate::event::Observer;
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::project::{Secret, Target};
use crate::sql::Dialect;

mod apply;
mod catalog;
mod clock;
mod code;
mod connection;
mod contents;
mod database;
mod deadline;
mod dqs;
mod dump;
mod error;
mod first;
mod foreign_keys;
mod guard;
mod hint;
mod inspect;
mod journal;
mod load;
mod lock;
mod names;
mod offline;
mod progress;
mod reset;
mod rows;
mod run;
mod scratch;
mod session;
mod statements;
#[cfg(test)]
mod tests;
mod transaction;
mod trial;

use database::Database;
use scratch::Places;
use session::SqliteSession;

/// Opens the engine for a target whose address is a SQLite file or memory.
pub(super) fn open(target: &Target, host: &Host, interrupt: &Interrupt) -> Result<Box<dyn Engine>> {
    let database = Database::of(target, host, interrupt)?;
    Ok(Box::new(Sqlite { database: Arc::new(database), places: Places::of(host) }))
}

struct Sqlite {
    database: Arc<Database>,
    places: Places,
}

impl Engine for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn judge(&self, unit: &Unit) -> Result<()> {
        guard::refuse_unanswerable(std::slice::from_ref(unit))?;
        statements::refuse_without_lock(&self.database, unit)
    }

    fn describe(&self) -> String {
        self.database.shown.clone()
    }

    fn database(&self) -> String {
        let stem = self.database.file().and_then(Path::file_stem);
        stem.map_or_else(|| "memory".to_owned(), |stem| stem.to_string_lossy().into_owned())
    }

    fn is_local(&self) -> bool {
        true
    }

    /// SQLite locks the file, whatever is done to it.
    fn most_fused(&self) -> usize {
        usize::MAX
    }

    fn connect(&self, access: Access) -> Result<Box<dyn Session>> {
        Ok(Box::new(SqliteSession::open(Arc::clone(&self.database), access)?))
    }

    fn exists(&self) -> Result<bool> {
        Ok(self.database.file().is_none_or(Path::exists))
    }

    fn create(&self) -> Result<bool> {
        if self.exists()? {
            return Ok(false);
        }
        connection::open(&self.database, Access::Write).map(|_| true)
    }

    fn drop_database(&self) -> Result<bool> {
        self.database.remove()
    }

    fn scratch(&self, wish: &ScratchWish<'_>, _: &mut dyn Observer) -> Result<Scratch> {
        self.places.make(&self.database, wish)
    }

    fn url(&self) -> Secret {
        match self.database.file() {
            Some(file) => Secret::new(format!("sqlite:{}", file.display())),
            None => Secret::new("sqlite::memory:"),
        }
    }

    fn row_file(&self, file: Box<dyn std::io::BufRead>) -> Option<RowFile> {
        dump::cells(file)
    }

    fn offline(&self) -> Box<dyn Offline + '_> {
        Box::new(offline::Shell::new(&self.database))
    }
}
