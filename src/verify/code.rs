//! The code objects, run a second time as a build runs them: all in one transaction, what they make dropped first
//! where their texts leave no other way.

use super::account::Account;
use super::stage::Stage;
use super::twice::{self, Second};
use super::{Change, Finding, Halt, Level, Proof, Work};
use crate::build::Item;
use crate::engine::{EngineError, Mode};
use crate::error::Error;
use crate::journal::Kind;

/// Runs the code files, and once more. Nothing is left to go on with if they do not run at all.
pub fn code(work: &Work<'_>, mut stage: Stage, account: &mut Account<'_>) -> Result<Option<Stage>, Halt> {
    let items: Vec<&Item> = work.items.iter().filter(|item| item.kind == Kind::Code).collect();
    let Some(first) = items.first() else { return Ok(Some(stage)) };
    if let Err(error) = stage.code(work.site, work.checkout) {
        let finding = of_error(first, "build/fails", "the first run fails", error)?;
        account.note(Proof::Twice, vec![finding], &mut stage, "before the code files")?;
        return Ok(None);
    }
    let chosen = items.into_iter().filter(|item| work.is_chosen(item)).collect();
    account.timed(Proof::Twice, |account| twice(work, stage, chosen, account)).map(Some)
}

fn twice(work: &Work<'_>, mut stage: Stage, chosen: Vec<&Item>, account: &mut Account<'_>) -> Result<Stage, Halt> {
    let mut by_build = Vec::new();
    for item in chosen {
        let Some(unit) = item.unit().filter(|unit| unit.mode != Mode::Statements) else {
            by_build.push(item);
            continue;
        };
        // Most texts can run as they are, which names the statement.
        match twice::tried(&mut *stage.session, unit, None, work.wish.strict)? {
            Second::Failed(_) => by_build.push(item),
            second => {
                let findings = twice::findings(item, second)?;
                account.note(Proof::Twice, findings, &mut stage, "after the first run of the code files")?;
            }
        }
    }
    if by_build.is_empty() {
        return Ok(stage);
    }
    // For real, and so in a copy: what it changes must not be taken for what the first run made.
    let mut frozen = stage.freeze();
    match frozen.copy()? {
        Some(copy) => by_a_build(work, copy, &by_build, account)?,
        None => {
            let why = "the database sets something for itself, so a copy would not be whole";
            by_build.iter().for_each(|item| account.of(Proof::Twice).skip(&item.file, why));
        }
    }
    Ok(frozen.thaw()?)
}

fn by_a_build(work: &Work<'_>, mut stage: Stage, items: &[&Item], account: &mut Account<'_>) -> Result<(), Halt> {
    let Some((first, others)) = items.split_first() else { return Ok(()) };
    let before = stage.state()?;
    let findings = match stage.code(work.site, work.checkout) {
        Err(error) => vec![of_error(first, "twice/fails", "a second run fails", error)?],
        Ok(()) => {
            let changes = before.objects(&stage.state()?, work.wish.strict);
            if changes.is_empty() { Vec::new() } else { vec![differs(first, changes)] }
        }
    };
    // They run together, and so they are proven together.
    let outcome = account.of(Proof::Twice);
    outcome.scripts += others.len();
    outcome.proven += if findings.is_empty() { others.len() } else { 0 };
    account.note(Proof::Twice, findings, &mut stage, "after the code files ran twice")
}

fn differs(first: &Item, changes: Vec<Change>) -> Finding {
    let message = format!("a second run of the code files changes {}", twice::summary(&changes));
    Finding::new(Level::Error, "twice/changes", &first.file, message).with(changes)
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
