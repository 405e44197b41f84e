//! What each statement of a script locks on what was there before it, whether it writes a table anew or reads one
//! from end to end, and for how long the lock is held: measured on the script's first run.
//!
//! A transactional script is measured while it runs and is committed, and a lock is held to its end. The statements of
//! one without a transaction run in a copy of the database, each behind those before it: in a transaction that is undone
//! if one can hold it, else for real, while a second session watches.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::account::Account;
use super::outside::{Before, cut_short, is_cut, resumed, runs_bare};
use super::points::stretches;
use super::report::answered;
use super::stage::Stage;
use super::{Measured, Proof, Work};
use crate::build::Item;
use crate::engine::trial::{Held, Seen};
use crate::engine::{EngineError, Session, Unit};
use crate::error::Error;

/// The modes of locks, the strongest last
/// (<https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES>).
const MODES: [&str; 8] = [
    // What everybody takes who reads: it stops nobody but those who drop or rewrite.
    HARMLESS,
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
];
const HARMLESS: &str = "AccessShareLock";

/// Runs a script and commits it, and measures it. Returns how many rows it wrote; nothing if it was not run, because
/// there is nothing to measure or because it fails when it is measured: it is run then without that, and told if it
/// fails.
pub fn applied(
    work: &Work<'_>,
    stage: &mut Stage,
    item: &Item,
    account: &mut Account<'_>,
) -> Result<Option<u64>, EngineError> {
    let Some(unit) = item.unit() else { return Ok(None) };
    let Some((rows, seen)) = stage.session.measured(unit, &work.site.run)? else { return Ok(None) };
    let parts: Vec<usize> = (0..unit.parts.len()).collect();
    tell(account, measured(item, unit, new_with_each(&parts, BTreeSet::new(), seen)));
    Ok(Some(rows))
}

fn tell(account: &mut Account<'_>, measured: Vec<Measured>) {
    let outcome = account.of(Proof::Locks);
    outcome.proven();
    outcome.measured.extend(measured);
}

/// What a statement did.
struct Step {
    part: usize,
    /// Its locks, those that are new with it.
    seen: Seen,
}

type Named = (String, String);

fn named(held: &Held) -> Named {
    (held.on.clone(), held.mode.clone())
}

/// Leaves to each statement the locks that are new with it; `known` are those from before the first one.
fn new_with_each(parts: &[usize], mut known: BTreeSet<Named>, all: Vec<Seen>) -> Vec<Step> {
    let mut steps = Vec::new();
    for (part, seen) in parts.iter().zip(all) {
        let (taken, kept): (Vec<Held>, _) = seen.locks.into_iter().partition(|held| !known.contains(&named(held)));
        known.extend(taken.iter().map(named));
        steps.push(Step { part: *part, seen: Seen { locks: with_work_done(taken, kept), ..seen } });
    }
    steps
}

/// Runs statements in a transaction that is undone, behind those that set something. Nothing if one of them fails.
fn tried(
    session: &mut dyn Session,
    unit: &Unit,
    before: &[usize],
    parts: &[usize],
) -> Result<Option<Vec<Step>>, EngineError> {
    let mut trial = session.trial(std::slice::from_ref(unit))?;
    for earlier in before {
        if answered(trial.run(0, *earlier))?.is_err() {
            return Ok(None);
        }
    }
    trial.watch()?;
    let mut durations = Vec::new();
    for part in parts {
        let started = Instant::now();
        if answered(trial.run(0, *part))?.is_err() {
            return Ok(None);
        }
        durations.push(started.elapsed());
        trial.watch()?;
    }
    let mut held = trial.locks()?.into_iter();
    let known = held.next().iter().flatten().map(named).collect();
    let seen = held.zip(durations).map(|(locks, duration)| Seen { locks, duration }).collect();
    Ok(Some(new_with_each(parts, known, seen)))
}

/// Adds to the locks that a statement takes those that it finds taken, for what it rewrites or reads from end to end
/// under them.
fn with_work_done(mut taken: Vec<Held>, kept: Vec<Held>) -> Vec<Held> {
    let strength = |held: &Held| MODES.iter().position(|mode| *mode == held.mode);
    let mut strongest: BTreeMap<String, Held> = BTreeMap::new();
    for held in kept.into_iter().filter(|held| held.rewritten || held.scans > 0) {
        let known = strongest.entry(held.on.clone()).or_insert_with(|| held.clone());
        if strength(known) < strength(&held) {
            *known = held;
        }
    }
    strongest.retain(|on, _| taken.iter().all(|taken| taken.on != *on));
    taken.extend(strongest.into_values());
    taken.sort();
    taken
}

/// Tells of each statement the locks that are new with it. They are held to the end of the transaction.
fn measured(item: &Item, unit: &Unit, steps: Vec<Step>) -> Vec<Measured> {
    let mut measured = Vec::new();
    let mut held = Duration::ZERO;
    for (behind, Step { part, seen }) in steps.into_iter().rev().enumerate() {
        held += seen.duration;
        let counts = |held: &Held| held.mode != HARMLESS || held.rewritten || held.scans > 0;
        let locks: Vec<Held> = seen.locks.into_iter().filter(counts).collect();
        if !locks.is_empty() {
            measured.push(Measured {
                file: item.file.clone(),
                line: unit.text.place(unit.parts[part].span).line,
                locks,
                held_for: behind,
                duration_us: microseconds(seen.duration),
                held_us: microseconds(held),
            });
        }
    }
    measured.reverse();
    measured
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Measures a script without a transaction, statement by statement. Of a long run of row statements each lock is told
/// with the first one that takes it.
pub fn outside(
    work: &Work<'_>,
    before: &mut Before<'_>,
    item: &Item,
    unit: &Unit,
    account: &mut Account<'_>,
) -> Result<(), Error> {
    let mut stage = before.copy()?;
    if !stage.session.trial(&[])?.watch()? {
        return Ok(());
    }
    let mut all = Vec::new();
    // The statements that are done, noted where a script notes them.
    let mut at = is_cut(stage.run(work.site, &cut_short(unit, 0)), 0)?;
    for stretch in stretches(unit) {
        let parts: Vec<usize> = stretch.iter().map(|done| done - 1).collect();
        let (Some(first), Some(done)) = (parts.first().copied(), stretch.last().copied()) else { continue };
        let next = resumed(work, &mut stage, cut_short(unit, done))?;
        let mut locks = Vec::new();
        if parts.iter().any(|part| runs_bare(unit, *part)) {
            let started = Instant::now();
            at &= is_cut(stage.watched(work.site, &next, &mut locks), done)?;
            locks.sort();
            all.push(vec![Step { part: first, seen: Seen { locks, duration: started.elapsed() } }]);
        } else {
            let settings: Vec<usize> = (0..first).filter(|earlier| unit.parts[*earlier].sets_session).collect();
            all.extend(tried(&mut *stage.session, unit, &settings, &parts)?);
            at &= is_cut(stage.run(work.site, &next), done)?;
        }
        if !at {
            account.of(Proof::Locks).skip(&item.file, "its statements do not run one by one in a copy of the database");
            return Ok(());
        }
    }
    // Each statement is a transaction of its own.
    let singly = all.into_iter().flatten().flat_map(|step| measured(item, unit, vec![step]));
    tell(account, singly.collect());
    Ok(())
}
