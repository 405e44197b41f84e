//! Keeps the code objects as their files say, in one transaction.
//!
//! SQLite keeps the text of views and triggers and looks at it when they are used: making one over a table that is
//! not there succeeds, a table that is rebuilt loses its triggers in silence. So what is there is compared by its
//! text, what runs is dropped before, and every view and trigger is prepared at the end, which finds the broken ones.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::database::Database;
use super::error::doing;
use super::foreign_keys::{orphans, turn};
use super::{apply, journal, transaction};
use crate::engine::code::{CodeWork, Creation, Kept, Owned, creations};
use crate::engine::{EngineError, Mode, Result, Unit};
use crate::event::Observer;
use crate::journal::Run;
use crate::sql::{Dialect, Kind};

mod away;
mod check;
mod files;
mod journaled;
mod schema;

use schema::{Stored, creation_key};

const DIALECT: Dialect = Dialect::Sqlite;

/// Does the work. `None` if another builder was faster.
pub(super) fn keep(
    connection: &Connection,
    database: &Database,
    work: &CodeWork,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<Option<Kept>> {
    transaction::retrying(database, "code", observer, |_| {
        if !work.scripts.iter().any(|unit| unit.mode == Mode::ForeignKeysOff) {
            return within(connection, database, work, run, false);
        }
        turn(connection, false)?;
        let result = within(connection, database, work, run, true);
        let on = turn(connection, true);
        result.and_then(|kept| on.map(|()| kept))
    })
}

fn within(
    connection: &Connection,
    database: &Database,
    work: &CodeWork,
    run: &Run,
    check_keys: bool,
) -> Result<Option<Kept>> {
    transaction::begin(connection, database)?;
    let before = check_keys.then(|| orphans(connection).ok()).flatten();
    let keeper = Keeper {
        connection,
        database,
        work,
        run,
        creations: work.files.iter().map(|file| creations(&file.unit, DIALECT)).collect(),
        owned: BTreeMap::new(),
        dropped: BTreeSet::new(),
        there: BTreeMap::new(),
    };
    let kept = keeper.go().and_then(|kept| {
        if let Some(before) = before {
            apply::check(connection, &work.scripts, &before)?;
        }
        Ok(kept)
    });
    match kept {
        Ok(Some(kept)) => transaction::commit(connection, database).map(|()| Some(kept)),
        Ok(None) => {
            connection.execute_batch("rollback").map_err(doing("rolling back"))?;
            Ok(None)
        }
        Err(error) => Err(transaction::rolled_back(connection, error)),
    }
}

/// One attempt.
struct Keeper<'a> {
    connection: &'a Connection,
    database: &'a Database,
    work: &'a CodeWork,
    run: &'a Run,
    /// The statements of each file that make code objects.
    creations: Vec<Vec<Creation>>,
    /// What each journaled file made.
    owned: BTreeMap<String, Vec<Owned>>,
    dropped: BTreeSet<String>,
    /// What is in the database now.
    there: BTreeMap<String, Stored>,
}

impl Keeper<'_> {
    fn go(mut self) -> Result<Option<Kept>> {
        let work = self.work;
        self.there = schema::read(self.connection)?;
        self.recall()?;
        let sound = self.sound_strangers();
        let mut kept = Kept::default();
        for at in 0..work.scripts.len() {
            self.suspend(&work.scripts[at])?;
            match apply::one(self.connection, self.database, &work.scripts, at, self.run)? {
                Some(applied) => kept.scripts.push(applied),
                None => return Ok(None),
            }
            self.there = schema::read(self.connection)?;
        }
        if work.is_whole {
            self.drop_gone()?;
            if !self.files(&mut kept)? {
                return Ok(None);
            }
            self.check()?;
            self.check_strangers(&sound)?;
            self.write(&kept)?;
            if kept.files.is_empty()
                && journal::write(self.connection, self.database, &work.marker, self.run)?.is_none()
            {
                return Ok(None);
            }
        }
        kept.dropped = self.dropped.iter().filter(|key| !self.there.contains_key(*key)).cloned().collect();
        Ok(Some(kept))
    }

    /// Returns the keys of what a file made before.
    fn owned_by(&self, at: usize) -> impl Iterator<Item = &String> {
        self.owned.get(&self.work.files[at].unit.entry.key).into_iter().flatten().map(|owned| &owned.object)
    }

    fn is_owned(&self, key: &str) -> bool {
        self.owned.values().flatten().any(|owned| owned.object == key)
    }

    fn is_code(&self, key: &str) -> bool {
        self.is_owned(key) || self.creations.iter().flatten().any(|creation| creation_key(creation) == key)
    }
}
