//! Each script once more at the end of the history: what an old script would do if somebody ran it by hand today.
//! Other scripts may have moved on since, so what is found weighs less.

use std::cell::OnceCell;

use super::account::Account;
use super::outside::{self, Before};
use super::stage::Stage;
use super::twice::{self, Second};
use super::{Finding, Halt, Level, Proof, Work};
use crate::build::Item;
use crate::engine::{EngineError, Mode};
use crate::journal::Kind;

/// Tries each script.
pub fn again(work: &Work<'_>, mut stage: Stage, account: &mut Account<'_>) -> Result<(), Halt> {
    account.enter("again");
    // One state for all: each of them is undone.
    let before = OnceCell::new();
    let is_script = |item: &&Item| item.kind == Kind::Script;
    for item in work.items.iter().filter(is_script) {
        let Some(unit) = item.unit().filter(|unit| unit.mode != Mode::Statements) else { continue };
        let second = twice::tried(&mut *stage.session, unit, Some(&before), work.wish.strict)?;
        account.of(Proof::Again).fails(findings(item, second)?);
        account.step();
    }
    // What cannot be undone runs in a copy, which serves the next one too if nothing became of it.
    let mut copies = Before::freeze(work, work.items.len(), stage);
    let mut copy = None;
    for item in work.items.iter().filter(is_script) {
        let Some(unit) = outside::of(item) else { continue };
        let mut stage = match copy.take() {
            Some(unchanged) => unchanged,
            None => copies.copy()?,
        };
        let second = outside::once_more(work, &mut stage, unit)?;
        if matches!(second, Second::Same) {
            copy = Some(stage);
        }
        account.of(Proof::Again).fails(findings(item, second)?);
        account.step();
    }
    Ok(())
}

fn findings(item: &Item, second: Second) -> Result<Vec<Finding>, EngineError> {
    Ok(match second {
        Second::Same => Vec::new(),
        Second::Failed(error) => {
            let what = "a run at the end of the history fails";
            vec![Finding::of_error(Level::Warning, "again/fails", &item.file, what, error)?]
        }
        Second::Differs(blamed) => {
            let what = "a run at the end of the history";
            let of = |blamed| twice::of_blamed(item, "again/changes", Level::Warning, what, blamed);
            blamed.into_iter().map(of).collect()
        }
    })
}
