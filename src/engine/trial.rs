//! A transaction that is always undone, seen from inside: what proofs run scripts in.
//!
//! Promises: nothing of it is kept; the journal is not touched; what was written to is known without reading the
//! database, so that a second run that does nothing costs next to nothing. Meant for scratch databases: what a
//! transaction cannot undo (a sequence's value) stays.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Catalog, Result, TableRows};
use crate::sql::{Kind, Name};

/// An open transaction around units that are tried.
pub trait Trial {
    /// Runs a statement of one of the units; false if its guard left it out.
    fn run(&mut self, unit: usize, part: usize) -> Result<bool>;

    /// Lets what waits for the commit have its say: deferred constraints and triggers, foreign keys that were off.
    fn settle(&mut self, unit: usize) -> Result<()>;

    /// Returns true if what waits for the commit would fail there as it is now. Asking leaves no trace.
    fn would_fail(&mut self) -> Result<bool>;

    /// Returns what was written to since the transaction began. More may be named than was really changed, never
    /// less.
    fn touched(&mut self) -> Result<Touched>;

    /// Reads the catalog as this transaction sees it.
    fn catalog(&mut self) -> Result<Catalog>;

    /// Reads the objects of these kinds, as this transaction sees them.
    fn catalog_of(&mut self, kinds: &BTreeSet<Kind>) -> Result<Catalog> {
        Ok(self.catalog()?.of_kinds(kinds))
    }

    /// Reads the objects that are near what was written, in the same transaction or when it is undone. None if something
    /// has another name now than it had there, so that others may be told otherwise too.
    fn catalog_near(&mut self, _near: &Near) -> Result<Option<Catalog>> {
        Ok(None)
    }

    /// Returns what is another text once anything more was written. None if the engine cannot tell now.
    fn stamp(&mut self) -> Result<Option<String>>;

    /// Returns a digest of the rows of each table that has some, whatever their order.
    fn digests(&mut self, tables: &Tables) -> Result<Digests>;

    /// Reads the rows of tables with every column.
    fn rows(&mut self, tables: &BTreeSet<Name>) -> Result<Vec<TableRows>>;

    /// Returns the last value of each sequence, or of each table that numbers its rows.
    fn counters(&mut self) -> Result<BTreeMap<String, i64>>;

    /// Notes which locks are held. False where the engine has no such locks.
    fn watch(&mut self) -> Result<bool> {
        Ok(false)
    }

    /// Ends the transaction, and returns for each call of `watch` the locks that were held on what was there before
    /// the transaction.
    fn locks(&mut self) -> Result<Vec<Vec<Held>>> {
        Ok(Vec::new())
    }
}

/// The rows of tables by their digests.
pub type Digests = BTreeMap<Name, Digest>;

/// What stands for the rows of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// How many rows there are.
    pub rows: u64,
    /// Their digest.
    pub digest: String,
}

/// What was written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The definitions that may have changed.
    pub definitions: Definitions,
    /// The tables whose rows may have changed.
    pub tables: Tables,
}

/// The definitions that may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Definitions {
    /// None.
    None,
    /// Those near what was written, or others with them: where nothing is different there, nothing is anywhere.
    Near(Near),
    /// Any.
    All,
}

/// What was written of the definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// Kinds of which something was written.
    pub kinds: BTreeSet<Kind>,
    /// The numbers of what was written, in the engine's own terms.
    pub numbers: BTreeMap<char, BTreeSet<u32>>,
    /// What that is called, and its parts.
    pub names: BTreeMap<String, String>,
    /// True if a comment may be another one.
    pub comments: bool,
}

/// Some tables, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tables {
    /// These.
    Of(BTreeSet<Name>),
    /// Every one: the engine cannot tell.
    All,
}

impl Touched {
    /// Returns the same without the definitions.
    pub fn rows(&self) -> Self {
        Self { definitions: Definitions::None, tables: self.tables.clone() }
    }

    /// Returns the same without the rows.
    pub fn without_rows(self) -> Self {
        Self { tables: Tables::Of(BTreeSet::new()), ..self }
    }

    /// Returns true if nothing was written at all.
    pub fn is_nothing(&self) -> bool {
        self.definitions == Definitions::None && self.tables.is_none()
    }
}

impl Tables {
    /// Returns true if it is no table at all.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Of(names) if names.is_empty())
    }
}

/// What a statement was seen to do.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What its transaction held when it was over.
    pub locks: Vec<Held>,
    /// How long it took.
    pub duration: Duration,
}

/// A lock on something that was there before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Held {
    /// What it is on: `table public.customer`.
    pub on: String,
    /// Its mode, in the engine's words: `AccessExclusiveLock`.
    pub mode: String,
    /// True if the object's file was written anew since the last time that locks were noted.
    pub rewritten: bool,
    /// How many times the object was read from end to end since then.
    pub scans: u64,
}
