//! There and back: a script, the script that takes it back, and the script again. The catalog must be the same; rows
//! that the way back loses are told.

use std::time::Instant;

use super::change::State;
use super::stage::Stage;
use super::walk::Before;
use super::{Change, Finding, Level, Proof, Report, Work, twice};
use crate::build::Item;
use crate::engine::trial::{Tables, Touched, Trial};
use crate::engine::{EngineError, Mode, Unit};
use crate::error::Error;

/// Goes back and forth, and undoes it.
pub fn back(work: &Work<'_>, stage: &mut Stage, item: &Item, report: &mut Report) -> Result<(), Error> {
    let (Some(up), Some(down)) = (item.unit(), &item.down) else { return Ok(()) };
    let began = Instant::now();
    if down.mode == Mode::Statements {
        report.of(Proof::Back).skip(down.text.file(), "it runs without a transaction, and its script runs in one");
        return Ok(());
    }
    let findings = undone(work, stage, item, up, down)?;
    let outcome = report.of(Proof::Back);
    outcome.fails(findings);
    outcome.duration += began.elapsed();
    Ok(())
}

fn undone(work: &Work<'_>, stage: &mut Stage, item: &Item, up: &Unit, down: &Unit) -> Result<Vec<Finding>, Error> {
    let before = State::whole(&mut *stage.session.trial(&[])?)?;
    let units = [down.clone(), up.clone()];
    let mut trial = stage.session.trial(&units)?;
    let steps = [("back/down-fails", "the way back fails"), ("back/up-fails", "after its way back, the script fails")];
    let mut lost = Vec::new();
    for (at, (code, what)) in steps.into_iter().enumerate() {
        match all(&mut *trial, at, &units[at]) {
            Ok(()) => {}
            Err(error @ (EngineError::Unit(_) | EngineError::Refused { .. })) => {
                let file = units[at].text.file().to_owned();
                return Ok(vec![Finding::of_error(Level::Error, code, &file, what, error)?]);
            }
            Err(other) => return Err(other.into()),
        }
        if at == 0 {
            let rows = Touched { definitions: false, tables: Tables::All };
            lost = fewer(&before, &State::of(&mut *trial, &rows)?);
        }
    }
    let after = State::whole(&mut *trial)?;
    drop(trial);
    Ok(told(item, before.objects(&after, work.wish.strict), lost))
}

fn all(trial: &mut dyn Trial, unit: usize, text: &Unit) -> Result<(), EngineError> {
    for part in 0..text.parts.len() {
        trial.run(unit, part)?;
    }
    trial.settle(unit)
}

/// The same where a transaction cannot hold it: in a copy of the database.
pub fn outside(
    work: &Work<'_>,
    copies: &mut Before<'_>,
    item: &Item,
    up: &Unit,
    report: &mut Report,
) -> Result<(), Error> {
    let Some(down) = &item.down else { return Ok(()) };
    let began = Instant::now();
    let findings = committed(work, copies.copy_after(up)?, item, up, down)?;
    let outcome = report.of(Proof::Back);
    outcome.fails(findings);
    outcome.duration += began.elapsed();
    Ok(())
}

fn committed(work: &Work<'_>, mut stage: Stage, item: &Item, up: &Unit, down: &Unit) -> Result<Vec<Finding>, Error> {
    let before = State::whole(&mut *stage.session.trial(&[])?)?;
    let mut again = up.clone();
    again.entry.attempt += 1;
    let steps = [
        (down, "back/down-fails", "the way back fails"),
        (&again, "back/up-fails", "after its way back, the script fails"),
    ];
    let mut lost = Vec::new();
    for (at, (unit, code, what)) in steps.into_iter().enumerate() {
        match stage.run(work.site, unit) {
            Ok(()) => {}
            Err(error @ (EngineError::Unit(_) | EngineError::Refused { .. })) => {
                return Ok(vec![Finding::of_error(Level::Error, code, unit.text.file(), what, error)?]);
            }
            Err(other) => return Err(other.into()),
        }
        if at == 0 {
            let rows = Touched { definitions: false, tables: Tables::All };
            lost = fewer(&before, &State::of(&mut *stage.session.trial(&[])?, &rows)?);
        }
    }
    let after = State::whole(&mut *stage.session.trial(&[])?)?;
    Ok(told(item, before.objects(&after, work.wish.strict), lost))
}

/// Returns the tables that have fewer rows, or none any more.
fn fewer(before: &State, after: &State) -> Vec<Change> {
    let count = |state: &State, name| state.digests.get(name).map_or(0, |digest| digest.rows);
    let fewer = before.digests.keys().filter(|name| count(after, name) < count(before, name));
    fewer
        .map(|name| Change::Rows { table: name.to_string(), before: count(before, name), after: count(after, name) })
        .collect()
}

fn told(item: &Item, objects: Vec<Change>, lost: Vec<Change>) -> Vec<Finding> {
    let down = item.down.as_ref().map(|unit| unit.text.file().to_owned()).unwrap_or_default();
    let finding = |level, code, message: String, changes: Vec<Change>| Finding {
        level,
        code,
        file: down.clone(),
        message,
        place: None,
        error: None,
        changes,
        hint: None,
    };
    let mut findings = Vec::new();
    if !objects.is_empty() {
        let message = format!("the script after its way back makes another {}", twice::summary(&objects));
        findings.push(finding(Level::Error, "back/differs", message, objects));
    }
    if !lost.is_empty() {
        let message = format!("the way back loses {}", twice::summary(&lost));
        findings.push(finding(Level::Note, "back/loses-rows", message, lost));
    }
    findings
}
