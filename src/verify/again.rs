//! Each script once more at the end of the history: what an old script would do if somebody ran it by hand today.
//! Other scripts may have moved on since, so what is found weighs less.

use std::time::Instant;

use super::change::State;
use super::stage::Stage;
use super::twice::{self, Second};
use super::{Finding, Level, Proof, Report, Work};
use crate::engine::Mode;
use crate::error::Error;
use crate::journal::Kind;

/// Tries each script.
pub fn again(work: &Work<'_>, stage: &mut Stage, report: &mut Report) -> Result<(), Error> {
    let began = Instant::now();
    let before = State::whole(&mut *stage.session.trial(&[])?)?;
    let outcome = report.of(Proof::Again);
    for item in work.items.iter().filter(|item| item.kind == Kind::Script) {
        let Some(unit) = item.unit() else { continue };
        if unit.mode == Mode::Statements {
            outcome.skip(&item.file, "it runs without a transaction, and could not be undone");
            continue;
        }
        let second = twice::tried(&mut *stage.session, unit, Some(&before), work.wish.strict)?;
        outcome.fails(match second {
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
        });
    }
    outcome.duration = began.elapsed();
    Ok(())
}
