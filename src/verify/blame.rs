//! Which statement made a difference: the one since which it is there to the end.

use std::collections::{BTreeMap, BTreeSet};

use super::Work;
use super::change::{self, Change, State};
use super::outside::single;
use super::report::answered;
use super::stage::Stage;
use crate::engine::trial::{Digest, Digests, Tables, Trial};
use crate::engine::{EngineError, Session, TableRows, Unit};
use crate::error::Error;
use crate::sql::{Dialect, Kind, Name, Tokens};

/// A statement and what it changed.
pub struct Blamed {
    /// Which of the unit's; nothing if no single one did.
    pub part: Option<usize>,
    /// What it changed.
    pub changes: Vec<Change>,
}

/// How many statements are looked at one by one. What comes from one behind them is told of the whole.
const MOST: usize = 250;

/// What differs, and the statement since which it does, if that is known.
type Since = BTreeMap<String, (Option<usize>, Change)>;

/// A whole run, whose statements are sought.
pub struct Suspect<'a> {
    /// What was there before it.
    pub before: &'a State,
    /// The objects that it has changed.
    pub objects: Vec<Change>,
    /// The tables whose rows it has changed, and are compared one by one.
    pub small: BTreeSet<Name>,
    /// The same of those that are too large for it.
    pub large: BTreeSet<Name>,
}

/// What is looked at behind a statement: no more than what is different in the end.
struct Look<'a> {
    before: State,
    rows: Vec<TableRows>,
    kinds: BTreeSet<Kind>,
    tables: Tables,
    small: &'a BTreeSet<Name>,
    strict: bool,
}

/// Finds the statements that a unit's changes come from. Where only one of them writes, it is the one; else the unit runs
/// once more in a transaction that is undone, and is looked at behind each that writes, but for the last: what is
/// different behind that is known.
pub fn blame(
    session: &mut dyn Session,
    unit: &Unit,
    suspect: Suspect<'_>,
    strict: bool,
) -> Result<Vec<Blamed>, EngineError> {
    if unit.parts.len() == 1 && suspect.small.is_empty() && suspect.large.is_empty() {
        return Ok(vec![Blamed { part: Some(0), changes: suspect.objects }]);
    }
    let look = Look::new(session, &suspect, strict)?;
    let (mut writers, rows) = {
        let mut trial = session.trial(std::slice::from_ref(unit))?;
        let writers = writers(&mut *trial, unit)?;
        (writers, look.rows(&mut *trial)?)
    };
    let last = writers.pop();
    let mut since = Since::new();
    if let Some(until) = writers.last().copied() {
        let mut trial = session.trial(std::slice::from_ref(unit))?;
        let looked_at: BTreeSet<usize> = writers.iter().take(MOST).copied().collect();
        for part in 0..=until.min(looked_at.last().copied().unwrap_or(until)) {
            if trial.run(0, part)? && looked_at.contains(&part) {
                since = moved_on(since, look.differences(&mut *trial)?, Some(part));
            }
        }
    }
    let last = last.or(unit.parts.len().checked_sub(1)).filter(|_| writers.len() <= MOST);
    let whole = suspect.objects.into_iter().chain(rows).collect();
    Ok(gathered(moved_on(since, whole, last)))
}

/// Runs a unit, and returns the statements that write, the last one too if what waits for the commit does.
fn writers(trial: &mut dyn Trial, unit: &Unit) -> Result<Vec<usize>, EngineError> {
    let mut writers = Vec::new();
    let mut stamp = trial.stamp()?;
    let mut is_written = |trial: &mut dyn Trial| -> Result<bool, EngineError> {
        let now = trial.stamp()?;
        let is_written = now.is_none() || now != stamp;
        stamp = now;
        Ok(is_written)
    };
    for part in 0..unit.parts.len() {
        // What a guard left out changed nothing.
        if trial.run(0, part)? && writes(unit, part) && is_written(trial)? {
            writers.push(part);
        }
    }
    trial.settle(0)?;
    let last = unit.parts.len().saturating_sub(1);
    if is_written(trial)? {
        // It may be another one than what the last statement itself has made.
        writers.push(last);
    }
    Ok(writers)
}

impl<'a> Look<'a> {
    fn new(session: &mut dyn Session, suspect: &'a Suspect<'_>, strict: bool) -> Result<Self, EngineError> {
        let tables: BTreeSet<Name> = suspect.small.union(&suspect.large).cloned().collect();
        let kinds = kinds(&suspect.objects);
        let catalog = suspect.before.catalog.as_ref().filter(|_| !kinds.is_empty());
        let of_them = |(name, _): &(&Name, &Digest)| tables.contains(*name);
        let digests = suspect.before.digests.iter().filter(of_them);
        let before = State {
            catalog: catalog.map(|catalog| catalog.of_kinds(&kinds)),
            digests: digests.map(|(name, digest)| (name.clone(), digest.clone())).collect(),
        };
        let rows = if suspect.small.is_empty() { Vec::new() } else { session.trial(&[])?.rows(&suspect.small)? };
        Ok(Self { before, rows, kinds, tables: Tables::Of(tables), small: &suspect.small, strict })
    }

    fn differences(&self, trial: &mut dyn Trial) -> Result<Vec<Change>, EngineError> {
        let catalog = if self.kinds.is_empty() { None } else { Some(trial.catalog_of(&self.kinds)?) };
        let now = State { catalog, digests: Digests::new() };
        let mut changes = self.before.objects(&now, self.strict);
        changes.extend(self.rows(trial)?);
        Ok(changes)
    }

    /// Returns the rows that are different.
    fn rows(&self, trial: &mut dyn Trial) -> Result<Vec<Change>, EngineError> {
        let digests = if self.tables.is_none() { Digests::new() } else { trial.digests(&self.tables)? };
        let now = State { catalog: None, digests };
        let tables = self.before.tables(&now);
        let (small, large): (BTreeSet<Name>, BTreeSet<Name>) =
            tables.into_iter().partition(|name| self.small.contains(name));
        let old: Vec<TableRows> = self.rows.iter().filter(|table| small.contains(&table.table)).cloned().collect();
        let new = if small.is_empty() { Vec::new() } else { trial.rows(&small)? };
        Ok(change::rows(&old, &new, (&self.before.digests, &now.digests), &large))
    }
}

/// Returns the kinds of objects that are different, and of those that they are parts of: what is gone with its table
/// is not told by itself.
fn kinds(objects: &[Change]) -> BTreeSet<Kind> {
    let kind = |change: &Change| match change {
        Change::Object(difference) => Kind::read(&mut Tokens::of(difference.kind, Dialect::Postgres)),
        Change::Row(_) | Change::Rows { .. } | Change::Counter { .. } => None,
    };
    let mut kinds: BTreeSet<Kind> = objects.iter().filter_map(kind).collect();
    if !kinds.is_empty() {
        kinds.extend(WITH_PARTS);
    }
    kinds
}

/// Objects that others are parts of, and the columns, whose order is their tables'.
const WITH_PARTS: [Kind; 7] = [
    Kind::Table,
    Kind::ForeignTable,
    Kind::VirtualTable,
    Kind::View,
    Kind::MaterializedView,
    Kind::Domain,
    Kind::Column,
];

/// Returns the statement since which one of these sequences stands where it should not.
pub fn counters(
    session: &mut dyn Session,
    unit: &Unit,
    wrong: &[Change],
    strict: bool,
) -> Result<Option<usize>, EngineError> {
    let before = session.trial(&[])?.counters()?;
    let wrong: BTreeSet<String> = wrong.iter().map(Change::key).collect();
    let mut trial = session.trial(std::slice::from_ref(unit))?;
    let mut since = None;
    for part in 0..unit.parts.len() {
        trial.run(0, part)?;
        let now = change::counters(&before, &trial.counters()?, strict);
        let is_wrong = now.iter().any(|change| wrong.contains(&change.key()));
        since = if is_wrong { since.or(Some(part)) } else { None };
    }
    Ok(since)
}

/// Returns the statement since which a unit's commit would fail.
pub fn waiting(session: &mut dyn Session, unit: &Unit) -> Result<Option<usize>, EngineError> {
    let mut trial = session.trial(std::slice::from_ref(unit))?;
    let mut since = None;
    for part in 0..unit.parts.len() {
        trial.run(0, part)?;
        since = if trial.would_fail()? { since.or(Some(part)) } else { None };
    }
    Ok(since)
}

/// A statement that only asks changes nothing, unless it calls something; `SELECT` may.
fn writes(unit: &Unit, part: usize) -> bool {
    let text = unit.parts[part].span.text(unit.text.as_str()).trim_start().to_ascii_lowercase();
    !text.starts_with("set ") && !text.starts_with("savepoint") && !text.starts_with("release")
}

/// Keeps for each difference the statement since which it is there.
fn moved_on(mut since: Since, now: Vec<Change>, part: Option<usize>) -> Since {
    let mut next = Since::new();
    for change in now {
        let key = change.key();
        let from = since.remove(&key).map_or(part, |(from, _)| from);
        next.insert(key, (from, change));
    }
    next
}

fn gathered(since: Since) -> Vec<Blamed> {
    let mut by_part: BTreeMap<Option<usize>, Vec<Change>> = BTreeMap::new();
    for (part, change) in since.into_values() {
        by_part.entry(part).or_default().push(change);
    }
    by_part.into_iter().map(|(part, changes)| Blamed { part, changes }).collect()
}

/// The same for a unit without a transaction, in a database in which it has run, and whose second run makes these
/// changes: each statement is committed as a unit of one.
pub fn outside(work: &Work<'_>, mut stage: Stage, unit: &Unit, changes: Vec<Change>) -> Result<Vec<Blamed>, Error> {
    let before = stage.state()?;
    let names = tables_of(&changes, &before);
    let objects = changes.iter().filter(|change| matches!(change, Change::Object(_))).cloned().collect();
    let suspect = Suspect { before: &before, objects, small: names, large: BTreeSet::new() };
    let look = Look::new(&mut *stage.session, &suspect, work.wish.strict)?;
    let mut since = Since::new();
    for part in 0..unit.parts.len().min(MOST) {
        // One that needs what the session knew cannot run by itself; what is known by then is told.
        if answered(stage.run(work.site, &single(unit, part)))?.is_err() {
            return Ok(gathered(since));
        }
        since = moved_on(since, look.differences(&mut *stage.session.trial(&[])?)?, Some(part));
    }
    Ok(gathered(if unit.parts.len() > MOST { moved_on(since, changes, None) } else { since }))
}

/// Returns the tables whose rows are different.
fn tables_of(changes: &[Change], before: &State) -> BTreeSet<Name> {
    let tables = changes.iter().filter_map(|change| match change {
        Change::Rows { table, .. } => Some(table.as_str()),
        Change::Row(row) => Some(row.table.as_str()),
        Change::Object(_) | Change::Counter { .. } => None,
    });
    let tables: BTreeSet<&str> = tables.collect();
    before.digests.keys().filter(|name| tables.contains(name.to_string().as_str())).cloned().collect()
}
