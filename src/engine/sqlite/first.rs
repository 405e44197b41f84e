//! The journal of a database that has none: the first transaction makes it, before anything else.
//!
//! On a disk the commit of an otherwise empty transaction costs as much as that of two hundred small scripts.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::database::Database;
use super::journal;
use crate::engine::Result;
use crate::journal::Mark;

/// What the next transaction makes; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct First(Arc<Mutex<Option<Wanted>>>);

/// A journal that is wanted, with the mark of a database that has none.
#[derive(Debug, Clone)]
struct Wanted(Option<Mark>);

impl First {
    /// Has the next transaction make the journal, and write the mark where there is none.
    pub fn expect(&self, mark: Option<&Mark>) {
        self.put(Some(Wanted(mark.cloned())));
    }

    /// Makes what is wanted, inside a transaction that has just begun. It is wanted until one has committed.
    pub fn make(&self, connection: &Connection, database: &Database) -> Result<()> {
        let wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(Wanted(mark)) = wanted else { return Ok(()) };
        journal::format(connection, &database.names)?;
        journal::create(connection, &database.names)?;
        match mark {
            Some(mark) => journal::mark(connection, database, &mark, false),
            None => Ok(()),
        }
    }

    /// Says that a transaction has committed.
    pub fn is_made(&self) {
        self.put(None);
    }

    fn put(&self, wanted: Option<Wanted>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = wanted;
    }
}
