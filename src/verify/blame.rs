//! Which statement made a difference: the one since which it is there to the end.

use std::collections::{BTreeMap, BTreeSet};

use super::Work;
use super::change::{self, Change, State};
use super::outside::single;
use super::report::answered;
use super::stage::Stage;
use crate::engine::trial::{Tables, Touched, Trial};
use crate::engine::{EngineError, Session, TableRows, Unit};
use crate::error::Error;
use crate::sql::Name;

/// A statement and what it changed.
pub struct Blamed {
    /// Which of the unit's; nothing if no single one did.
    pub part: Option<usize>,
    /// What it changed.
    pub changes: Vec<Change>,
}

/// What is known before the first statement.
struct Before {
    state: State,
    rows: Vec<TableRows>,
}

/// Runs a unit statement by statement in a transaction that is undone.
pub fn blame(
    session: &mut dyn Session,
    unit: &Unit,
    touched: &Touched,
    small: &BTreeSet<Name>,
    large: &BTreeSet<Name>,
    strict: bool,
) -> Result<Vec<Blamed>, EngineError> {
    let tables: BTreeSet<Name> = small.union(large).cloned().collect();
    let looked = Touched { definitions: touched.definitions, tables: Tables::Of(tables) };
    let before = {
        let mut trial = session.trial(&[])?;
        Before { state: State::of(&mut *trial, &looked)?, rows: trial.rows(small)? }
    };
    let mut since: BTreeMap<String, (usize, Change)> = BTreeMap::new();
    let mut trial = session.trial(std::slice::from_ref(unit))?;
    for part in 0..unit.parts.len() {
        // What a guard left out changed nothing.
        if !trial.run(0, part)? || !writes(unit, part) {
            continue;
        }
        since = moved_on(since, differences(&mut *trial, &before, &looked, small, strict)?, part);
    }
    trial.settle(0)?;
    if let Some(last) = unit.parts.len().checked_sub(1) {
        since = moved_on(since, differences(&mut *trial, &before, &looked, small, strict)?, last);
    }
    Ok(gathered(since))
}

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

fn differences(
    trial: &mut dyn Trial,
    before: &Before,
    looked: &Touched,
    small: &BTreeSet<Name>,
    strict: bool,
) -> Result<Vec<Change>, EngineError> {
    let now = State::of(trial, looked)?;
    let mut changes = before.state.objects(&now, strict);
    let tables = before.state.tables(&now);
    let (small, large): (BTreeSet<Name>, BTreeSet<Name>) = tables.into_iter().partition(|name| small.contains(name));
    let (old, new): (Vec<TableRows>, _) = (
        before.rows.iter().filter(|table| small.contains(&table.table)).cloned().collect(),
        if small.is_empty() { Vec::new() } else { trial.rows(&small)? },
    );
    changes.extend(change::rows(&old, &new, (&before.state.digests, &now.digests), &large));
    Ok(changes)
}

/// Keeps for each difference the statement since which it is there.
fn moved_on(
    mut since: BTreeMap<String, (usize, Change)>,
    now: Vec<Change>,
    part: usize,
) -> BTreeMap<String, (usize, Change)> {
    let mut next = BTreeMap::new();
    for change in now {
        let key = change.key();
        let from = since.remove(&key).map_or(part, |(from, _)| from);
        next.insert(key, (from, change));
    }
    next
}

fn gathered(since: BTreeMap<String, (usize, Change)>) -> Vec<Blamed> {
    let mut by_part: BTreeMap<usize, Vec<Change>> = BTreeMap::new();
    for (part, change) in since.into_values() {
        by_part.entry(part).or_default().push(change);
    }
    by_part.into_iter().map(|(part, changes)| Blamed { part: Some(part), changes }).collect()
}

/// The same for a unit without a transaction, in a database in which it has run: each statement is committed as a unit
/// of one.
pub fn outside(work: &Work<'_>, mut stage: Stage, unit: &Unit) -> Result<Vec<Blamed>, Error> {
    let state = stage.state()?;
    let names: BTreeSet<Name> = state.digests.keys().cloned().collect();
    let before = Before { rows: stage.session.trial(&[])?.rows(&names)?, state };
    let looked = Touched { definitions: true, tables: Tables::All };
    let mut since = BTreeMap::new();
    for part in 0..unit.parts.len() {
        // One that needs what the session knew cannot run by itself; what is known by then is told.
        if answered(stage.run(work.site, &single(unit, part)))?.is_err() {
            break;
        }
        let mut trial = stage.session.trial(&[])?;
        since = moved_on(since, differences(&mut *trial, &before, &looked, &names, work.wish.strict)?, part);
    }
    Ok(gathered(since))
}
