//! The code objects, run a second time as a build runs them: all in one transaction, what they make dropped first
//! where their texts leave no other way.

use std::time::Instant;

use super::change::State;
use super::stage::Stage;
use super::twice::{self, Second};
use super::{Change, Finding, Level, Proof, Report, Work};
use crate::build::Item;
use crate::engine::{EngineError, Mode};
use crate::error::Error;
use crate::journal::Kind;

/// Runs the code files, and once more. Nothing is left to go on with if they do not run at all.
pub fn code(work: &Work<'_>, mut stage: Stage, report: &mut Report) -> Result<Option<Stage>, Error> {
    let items: Vec<&Item> = work.items.iter().filter(|item| item.kind == Kind::Code).collect();
    let Some(first) = items.first() else { return Ok(Some(stage)) };
    if let Err(error) = stage.code(work.site, work.checkout) {
        let finding = of_error(first, "build/fails", "the first run fails", error)?;
        report.of(Proof::Twice).fails(vec![finding]);
        return Ok(None);
    }
    let began = Instant::now();
    let chosen: Vec<&Item> = items.into_iter().filter(|item| work.is_chosen(item)).collect();
    let mut by_build = Vec::new();
    for item in &chosen {
        let Some(unit) = item.unit().filter(|unit| unit.mode != Mode::Statements) else {
            by_build.push(*item);
            continue;
        };
        // Most texts can run as they are, which names the statement.
        match twice::tried(&mut *stage.session, unit, None, work.wish.strict)? {
            Second::Failed(_) => by_build.push(*item),
            second => report.of(Proof::Twice).fails(twice::findings(item, second)?),
        }
    }
    if !by_build.is_empty() {
        // For real, and so in a copy: what it changes must not be taken for what the first run made.
        let mut frozen = stage.freeze();
        match frozen.copy()? {
            Some(copy) => by_a_build(work, copy, &by_build, report)?,
            None => {
                let why = "the database sets something for itself, so a copy would not be whole";
                by_build.iter().for_each(|item| report.of(Proof::Twice).skip(&item.file, why));
            }
        }
        stage = frozen.thaw()?;
    }
    report.of(Proof::Twice).duration += began.elapsed();
    Ok(Some(stage))
}

fn by_a_build(work: &Work<'_>, mut stage: Stage, items: &[&Item], report: &mut Report) -> Result<(), Error> {
    let Some(first) = items.first() else { return Ok(()) };
    let before = State::whole(&mut *stage.session.trial(&[])?)?;
    let findings = match stage.code(work.site, work.checkout) {
        Err(error) => vec![of_error(first, "twice/fails", "a second run fails", error)?],
        Ok(()) => {
            let after = State::whole(&mut *stage.session.trial(&[])?)?;
            let changes = before.objects(&after, work.wish.strict);
            if changes.is_empty() { Vec::new() } else { vec![differs(first, changes)] }
        }
    };
    let outcome = report.of(Proof::Twice);
    outcome.scripts += items.len();
    outcome.proven += if findings.is_empty() { items.len() } else { 0 };
    outcome.findings.extend(findings);
    Ok(())
}

fn differs(first: &Item, changes: Vec<Change>) -> Finding {
    Finding {
        level: Level::Error,
        code: "twice/changes",
        file: first.file.clone(),
        message: format!("a second run of the code files changes {}", twice::summary(&changes)),
        place: None,
        error: None,
        changes,
        hint: None,
    }
}

/// A failure knows its file by its place; one without is the first file's.
fn of_error(first: &Item, code: &'static str, what: &str, error: Error) -> Result<Finding, Error> {
    match error {
        Error::Engine(error @ (EngineError::Unit(_) | EngineError::Refused { .. })) => {
            let file = error.place().map_or_else(|| first.file.clone(), |place| place.file.clone());
            Ok(Finding::of_error(Level::Error, code, &file, what, error)?)
        }
        other => Err(other),
    }
}
