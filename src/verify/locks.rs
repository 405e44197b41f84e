//! What each statement of a script locks on what was there before it, whether it writes a table anew or reads one
//! from end to end, and for how many statements the lock is held: measured on the script's first run, in a
//! transaction that is undone.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::stage::Stage;
use super::{Measured, Proof, Report, Work};
use crate::build::Item;
use crate::engine::trial::Held;
use crate::engine::{EngineError, Mode, Unit};
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
    let mut durations = Vec::new();
    for part in 0..unit.parts.len() {
        let started = Instant::now();
        match trial.run(0, part) {
            Ok(_) => {}
            Err(EngineError::Unit(_) | EngineError::Refused { .. }) => return Ok(()),
            Err(other) => return Err(other.into()),
        }
        durations.push(started.elapsed());
        trial.watch()?;
    }
    let held = trial.locks()?;
    drop(trial);
    let measured = measured(item, unit, held, &durations);
    let outcome = report.of(Proof::Locks);
    outcome.proven();
    outcome.measured.extend(measured);
    outcome.duration += began.elapsed();
    Ok(())
}

/// Tells of each statement the locks that are new with it. The first of those that were held are from before it.
fn measured(item: &Item, unit: &Unit, held: Vec<Vec<Held>>, durations: &[Duration]) -> Vec<Measured> {
    let mut held = held.into_iter().map(BTreeSet::from_iter);
    let mut known: BTreeSet<Held> = held.next().unwrap_or_default();
    let mut measured = Vec::new();
    for (part, (held, duration)) in held.zip(durations).enumerate() {
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
    measured
}
