//! There and back: a script, the script that takes it back, and the script again. The catalog must be the same; rows
//! that the way back loses are told, by their keys.

use super::account::Account;
use super::change::{self, State};
use super::outside::{Before, again};
use super::report::answered;
use super::stage::Stage;
use super::{Change, Finding, Halt, Level, Proof, RowFate, Work, twice};
use crate::build::Item;
use crate::engine::trial::{Definitions, Trial};
use crate::engine::{EngineError, Mode, TableRows, Unit};
use crate::error::Error;
use crate::script::Fault;
use crate::sql::Name;

use std::collections::BTreeSet;

/// How many lost rows of a table are told one by one; of the rest, how many they are.
const LISTED: usize = 100;

/// What a file's run is called when it fails, going down and coming up again.
const STEPS: [(&str, &str); 2] =
    [("back/down-fails", "the way back fails"), ("back/up-fails", "after its way back, the script fails")];

/// What came of going there and back.
struct Journey {
    objects: Vec<Change>,
    lost: Vec<Change>,
}

/// Tells of a way back that cannot even be read.
pub fn unreadable(item: &Item, account: &mut Account<'_>) {
    let Some(faults) = &item.down_fault else { return };
    let of = |fault: &Fault| {
        let message = format!("the way back: {}", fault.message);
        let finding = Finding::new(Level::Error, "back/unreadable", &fault.file, message).at(fault.place.clone());
        Finding { hint: fault.hint.clone(), ..finding }
    };
    account.of(Proof::Back).fails(faults.0.iter().map(of).collect());
}

/// Goes back and forth, and undoes it.
pub fn back(work: &Work<'_>, stage: &mut Stage, item: &Item, account: &mut Account<'_>) -> Result<(), Halt> {
    let (Some(up), Some(down)) = (item.unit(), &item.down) else { return Ok(()) };
    if down.mode == Mode::Statements {
        account.of(Proof::Back).skip(down.text.file(), "it runs without a transaction, and its script runs in one");
        return Ok(());
    }
    let units = [down.clone(), up.clone()];
    let findings = match undone(work, stage, &units)? {
        Ok(journey) => told(down, journey),
        Err(finding) => vec![finding],
    };
    account.note(Proof::Back, findings, stage, &format!("after {}, before its way back", item.file))
}

fn undone(work: &Work<'_>, stage: &mut Stage, units: &[Unit; 2]) -> Result<Result<Journey, Finding>, Error> {
    let before = State::rows(&mut *stage.session.trial(&[])?)?;
    let mut trial = stage.session.trial(units)?;
    if let Err(finding) = step(&mut *trial, 0, units)? {
        return Ok(Err(finding));
    }
    let mut behind = State::rows(&mut *trial)?;
    let (small, large) = change::by_size(&others(&before, &behind), &before.digests, &before.digests);
    let (mut rows, mut left) = (Vec::new(), Vec::new());
    if !small.is_empty() {
        // Which rows are gone is told by looking before the way back too.
        drop(trial);
        rows = stage.session.trial(&[])?.rows(&small)?;
        trial = stage.session.trial(units)?;
        if let Err(finding) = step(&mut *trial, 0, units)? {
            return Ok(Err(finding));
        }
        behind = State::rows(&mut *trial)?;
        left = trial.rows(&small)?;
    }
    let lost = lost((&rows, &before), (&left, &behind), &large);
    if let Err(finding) = step(&mut *trial, 1, units)? {
        return Ok(Err(finding));
    }
    let touched = trial.touched()?.without_rows();
    let after = State::near(&mut *trial, &touched)?;
    drop(trial);
    let before = State::near(&mut *stage.session.trial(&[])?, &touched)?;
    let strict = work.wish.strict;
    let mut objects = match (&before, &after) {
        (Some(before), Some(after)) => Some(before.objects(after, strict)),
        _ => None,
    };
    if matches!(touched.definitions, Definitions::Near(_)) && objects.as_ref().is_none_or(|objects| !objects.is_empty())
    {
        objects = None;
    }
    match objects {
        Some(objects) => Ok(Ok(Journey { objects, lost })),
        None => Ok(whole(stage, units, strict)?.map(|objects| Journey { objects, lost })),
    }
}

/// Goes back and forth again, and compares everything.
fn whole(stage: &mut Stage, units: &[Unit; 2], strict: bool) -> Result<Result<Vec<Change>, Finding>, Error> {
    let before = State::definitions(&mut *stage.session.trial(&[])?)?;
    let mut trial = stage.session.trial(units)?;
    for at in 0..units.len() {
        if let Err(finding) = step(&mut *trial, at, units)? {
            return Ok(Err(finding));
        }
    }
    Ok(Ok(before.objects(&State::definitions(&mut *trial)?, strict)))
}

fn step(trial: &mut dyn Trial, at: usize, units: &[Unit; 2]) -> Result<Result<(), Finding>, EngineError> {
    let ran = answered(twice::run(trial, at, &units[at]))?;
    ran.map_or_else(|error| failed(at, &units[at], error).map(Err), |()| Ok(Ok(())))
}

fn failed(at: usize, unit: &Unit, error: EngineError) -> Result<Finding, EngineError> {
    let (code, what) = STEPS[at];
    Finding::of_error(Level::Error, code, unit.text.file(), what, error)
}

/// The same where a transaction cannot hold it: in a copy of the database. `ran_twice` is one in which the script has
/// run twice, and the second time changed nothing.
pub fn outside(
    work: &Work<'_>,
    before: &mut Before<'_>,
    ran_twice: Option<Stage>,
    item: &Item,
    account: &mut Account<'_>,
) -> Result<(), Halt> {
    let (Some(up), Some(down)) = (item.unit(), &item.down) else { return Ok(()) };
    let mut stage = ran_twice.map_or_else(|| before.copy_after(up), Ok)?;
    let findings = match committed(work, &mut stage, up, down)? {
        Ok(journey) => told(down, journey),
        Err(finding) => vec![finding],
    };
    account.note(Proof::Back, findings, &mut stage, &format!("after {} and its way back", item.file))
}

fn committed(work: &Work<'_>, stage: &mut Stage, up: &Unit, down: &Unit) -> Result<Result<Journey, Finding>, Error> {
    let before = stage.state()?;
    let (small, large) = change::by_size(&before.digests.keys().cloned().collect(), &before.digests, &before.digests);
    let rows = stage.session.trial(&[])?.rows(&small)?;
    if let Err(error) = answered(stage.run(work.site, down))? {
        return Ok(Err(failed(0, down, error)?));
    }
    let (left, behind) = {
        let mut trial = stage.session.trial(&[])?;
        (trial.rows(&small)?, State::rows(&mut *trial)?)
    };
    let lost = lost((&rows, &before), (&left, &behind), &large);
    // It may have run twice here.
    if let Err(error) = answered(stage.run(work.site, &again(&again(up))))? {
        return Ok(Err(failed(1, up, error)?));
    }
    let objects = before.objects(&stage.state()?, work.wish.strict);
    Ok(Ok(Journey { objects, lost }))
}

/// Returns the tables that have other rows than before, or none any more.
fn others(before: &State, after: &State) -> BTreeSet<Name> {
    before.tables(after).into_iter().filter(|name| before.digests.contains_key(name)).collect()
}

/// Returns the rows that are gone, and of large tables how many there were and are.
fn lost(before: (&[TableRows], &State), after: (&[TableRows], &State), large: &BTreeSet<Name>) -> Vec<Change> {
    let gone = |change: &Change| matches!(change, Change::Row(row) if row.change == RowFate::Lost);
    let count = |state: &State, name: &Name| state.digests.get(name).map_or(0, |digest| digest.rows);
    let (rows, behind) = (&before.0, &after.1);
    let mut lost = Vec::new();
    for table in rows.iter() {
        let left: Vec<TableRows> = after.0.iter().filter(|other| other.table == table.table).cloned().collect();
        let digests = (&before.1.digests, &behind.digests);
        let changes = change::rows(std::slice::from_ref(table), &left, digests, &BTreeSet::new());
        let mut gone: Vec<Change> = changes.into_iter().filter(gone).collect();
        let more = gone.len().saturating_sub(LISTED);
        gone.truncate(LISTED);
        lost.extend(gone);
        if more > 0 {
            let (before, after) = (count(before.1, &table.table), count(behind, &table.table));
            lost.push(Change::Rows { table: table.table.to_string(), before, after });
        }
    }
    let is_fewer = |name: &&Name| count(behind, name) < count(before.1, name);
    lost.extend(large.iter().filter(is_fewer).map(|name| Change::Rows {
        table: name.to_string(),
        before: count(before.1, name),
        after: count(behind, name),
    }));
    lost
}

fn told(down: &Unit, journey: Journey) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !journey.objects.is_empty() {
        let message = format!("the script after its way back makes another {}", twice::summary(&journey.objects));
        findings.push(Finding::new(Level::Error, "back/differs", down.text.file(), message).with(journey.objects));
    }
    if !journey.lost.is_empty() {
        let message = format!("the way back loses {}", twice::summary(&journey.lost));
        findings.push(Finding::new(Level::Note, "back/loses-rows", down.text.file(), message).with(journey.lost));
    }
    findings
}
