//! What each statement of a script locks on what was there before it, whether it writes a table anew or reads one
//! from end to end, and for how many statements the lock is held: measured on the script's first run, in a
//! transaction that is undone.

use std::collections::BTreeSet;
use std::time::Instant;

use super::stage::Stage;
use super::{Measured, Proof, Report, Work};
use crate::build::Item;
use crate::engine::trial::Held;
use crate::engine::{EngineError, Mode};
use crate::error::Error;

/// What everybody takes who reads: it stops nobody but those who drop or rewrite.
const HARMLESS: &str = "AccessShareLock";

/// Measures a script that was not run yet. A script that fails here fails when it is run, and is told then.
pub fn locks(_: &Work<'_>, stage: &mut Stage, item: &Item, report: &mut Report) -> Result<(), Error> {
    let Some(unit) = item.unit() else { return Ok(()) };
    if unit.mode == Mode::Statements {
        report.of(Proof::Locks).skip(&item.file, "it runs without a transaction, and could not be undone");
        return Ok(());
    }
    let began = Instant::now();
    let mut trial = stage.session.trial(std::slice::from_ref(unit))?;
    if !trial.watch()? {
        return Ok(());
    }
    let mut known: BTreeSet<Held> = BTreeSet::new();
    let mut measured = Vec::new();
    for part in 0..unit.parts.len() {
        let started = Instant::now();
        match trial.run(0, part) {
            Ok(_) => {}
            Err(EngineError::Unit(_) | EngineError::Refused { .. }) => return Ok(()),
            Err(other) => return Err(other.into()),
        }
        let duration = started.elapsed();
        let held: BTreeSet<Held> = trial.locks()?.into_iter().collect();
        let locks: Vec<Held> =
            held.difference(&known).filter(|held| held.mode != HARMLESS || held.rewritten).cloned().collect();
        known = held;
        if !locks.is_empty() {
            measured.push(Measured {
                file: item.file.clone(),
                line: unit.text.place(unit.parts[part].span).line,
                locks,
                held_for: unit.parts.len() - part - 1,
                duration_us: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
            });
        }
    }
    drop(trial);
    let outcome = report.of(Proof::Locks);
    outcome.proven();
    outcome.measured.extend(measured);
    outcome.duration += began.elapsed();
    Ok(())
}
