//! Keeps the code objects as their files say, in one transaction.
//!
//! SQLite keeps the text of views and triggers and looks at it when they are used: making one over a table that is
//! not there succeeds, a table that is rebuilt loses its triggers in silence. So what is there is compared by its
//! text, what runs is dropped before, and every view and trigger of the files is prepared at the end, which finds the
//! broken ones.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::database::Database;
use super::error::doing;
use super::foreign_keys::{orphans, turn};
use super::{apply, journal, transaction};
use crate::engine::code::{CodeWork, Creation, Keeping, Kept, Owned, creations};
use crate::engine::{EngineError, Mode, Result, Unit};
use crate::event::Observer;
use crate::journal::Run;
use crate::sql::{Dialect, Head, Kind, Tokens, Verb};

mod away;
mod check;
mod files;
mod journaled;
mod schema;

use schema::{Stored, creation_key};

const DIALECT: Dialect = Dialect::Sqlite;

/// Does the work.
pub(super) fn keep(
    connection: &Connection,
    database: &Database,
    work: &CodeWork,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<Keeping> {
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
) -> Result<Keeping> {
    transaction::begin(connection, database)?;
    let before = check_keys.then(|| orphans(connection).ok()).flatten();
    let keeper = Keeper {
        connection,
        database,
        work,
        run,
        creations: work.files.iter().map(|file| creations(&file.unit, DIALECT)).collect(),
        owned: BTreeMap::new(),
        learnt: BTreeSet::new(),
        is_settled: false,
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
        Ok(Keeping::Done(kept)) => transaction::commit(connection, database).map(|()| Keeping::Done(kept)),
        Ok(undone @ (Keeping::Taken | Keeping::Lacks)) => {
            connection.execute_batch("rollback").map_err(doing("rolling back"))?;
            Ok(undone)
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
    /// The files whose row in the journal is not what is known now.
    learnt: BTreeSet<String>,
    /// True if no script ran since the code objects were looked after.
    is_settled: bool,
    dropped: BTreeSet<String>,
    /// What is in the database now.
    there: BTreeMap<String, Stored>,
}

impl Keeper<'_> {
    fn go(mut self) -> Result<Keeping> {
        let work = self.work;
        self.there = schema::read(self.connection)?;
        self.recall()?;
        if !work.others.is_empty() && (!self.is_settled || self.is_off()) {
            return Ok(Keeping::Lacks);
        }
        let sound = self.sound_strangers();
        let mut kept = Kept::default();
        for at in 0..work.scripts.len() {
            self.suspend(&work.scripts[at])?;
            match apply::one(self.connection, self.database, &work.scripts, at, self.run)? {
                Some(applied) => kept.scripts.push(applied),
                None => return Ok(Keeping::Taken),
            }
            self.there = schema::read(self.connection)?;
        }
        if work.is_whole {
            self.drop_gone()?;
            if !self.files(&mut kept)? {
                return Ok(Keeping::Taken);
            }
            if !work.others.is_empty() && (self.is_off() || self.goes_far(&kept)) {
                return Ok(Keeping::Lacks);
            }
            self.check()?;
            self.check_strangers(&sound)?;
            self.write(&kept)?;
            if kept.files.is_empty()
                && journal::write(self.connection, self.database, &work.marker, self.run)?.is_none()
            {
                return Ok(Keeping::Taken);
            }
        }
        kept.dropped = self.dropped.iter().filter(|key| !self.there.contains_key(*key)).cloned().collect();
        Ok(Keeping::Done(kept))
    }

    /// Returns true if an object of a file that was left out is not there, or not as the file made it.
    fn is_off(&self) -> bool {
        self.work.others.iter().any(|file| self.why(file).is_some())
    }

    /// Returns true if more may be broken than what mentions what the files make: something was dropped for good, or
    /// a file does more than to make its objects.
    fn goes_far(&self, kept: &Kept) -> bool {
        let does_more = |at: usize| {
            let unit = &self.work.files[at].unit;
            let names = || self.creations[at].iter().map(|creation| &creation.name);
            unit.parts.iter().enumerate().any(|(index, part)| {
                let head = Head::of(Tokens::new(unit.text.as_str(), part.span, DIALECT));
                let is_own = head.name.as_ref().is_some_and(|name| names().any(|made| made.matches(name)));
                let makes = self.creations[at].iter().any(|creation| creation.part == index);
                !(makes || head.verb == Verb::Drop && is_own)
            })
        };
        self.dropped.iter().any(|key| !self.there.contains_key(key)) || kept.files.iter().any(|(at, ..)| does_more(*at))
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
