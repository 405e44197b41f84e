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
use crate::build::{Item, Site};
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

/// What the statements of a script without a transaction were seen to lock.
pub struct Locks<'a> {
    unit: &'a Unit,
    /// How many statements have run, and how many were measured: of a long run of row statements all, before the first.
    done: usize,
    measured: usize,
    /// Nothing where there are no such locks, or nobody wants to know.
    steps: Option<Vec<Vec<Step>>>,
}

impl<'a> Locks<'a> {
    /// Begins before the first statement.
    pub fn of(stage: &mut Stage, unit: &'a Unit, is_wanted: bool) -> Result<Self, EngineError> {
        let measures = is_wanted && stage.session.trial(&[])?.watch()?;
        Ok(Self { unit, done: 0, measured: 0, steps: measures.then(Vec::new) })
    }

    /// Runs the statements up to a number, and measures those that were not yet. Returns what their run came to.
    pub fn measure(
        &mut self,
        site: &Site<'_>,
        stage: &mut Stage,
        next: &Unit,
        done: usize,
    ) -> Result<Result<(), EngineError>, EngineError> {
        let parts: Vec<usize> = (self.done.max(self.measured)..done).collect();
        self.done = self.done.max(done);
        let (Some(first), Some(steps)) = (parts.first().copied(), &mut self.steps) else {
            return Ok(stage.run(site, next));
        };
        self.measured = done;
        if parts.iter().any(|part| runs_bare(self.unit, *part)) {
            let (mut locks, started) = (Vec::new(), Instant::now());
            let ran = stage.watched(site, next, &mut locks);
            locks.sort();
            steps.push(vec![Step { part: first, seen: Seen { locks, duration: started.elapsed() } }]);
            return Ok(ran);
        }
        let mut ends = stretches(self.unit).into_iter().filter_map(|stretch| stretch.last().copied());
        self.measured = ends.find(|end| *end >= done).unwrap_or(done);
        let parts: Vec<usize> = (first..self.measured).collect();
        let settings: Vec<usize> = (0..first).filter(|earlier| self.unit.parts[*earlier].sets_session).collect();
        steps.extend(tried(&mut *stage.session, self.unit, &settings, &parts)?);
        Ok(stage.run(site, next))
    }

    /// Tells of each statement. Each is a transaction of its own.
    fn told(self, item: &Item) -> Option<Vec<Measured>> {
        let steps = self.steps?.into_iter().flatten();
        Some(steps.flat_map(|step| measured(item, self.unit, vec![step])).collect())
    }
}

/// Tells what was measured while a script without a transaction was cut short; if it was not, it is measured by
/// itself. Of a long run of row statements each lock is told with the first one that takes it.
pub fn outside(
    work: &Work<'_>,
    before: &mut Before<'_>,
    (item, unit): (&Item, &Unit),
    known: Option<Locks<'_>>,
    account: &mut Account<'_>,
) -> Result<(), Error> {
    let locks = match known {
        Some(locks) if locks.steps.is_some() => Some(locks),
        _ => alone(work, &mut before.copy()?, unit)?,
    };
    match locks.map(|locks| locks.told(item)) {
        Some(Some(measured)) => tell(account, measured),
        Some(None) => {}
        None => {
            let why = "its statements do not run one by one in a copy of the database";
            account.of(Proof::Locks).skip(&item.file, why);
        }
    }
    Ok(())
}

/// Runs the statements one by one and measures them. Nothing if one does not run.
fn alone<'a>(work: &Work<'_>, stage: &mut Stage, unit: &'a Unit) -> Result<Option<Locks<'a>>, EngineError> {
    let mut locks = Locks::of(stage, unit, true)?;
    if locks.steps.is_none() {
        return Ok(Some(locks));
    }
    for done in stretches(unit).into_iter().filter_map(|stretch| stretch.last().copied()) {
        let next = resumed(work, stage, cut_short(unit, done))?;
        if !is_cut(locks.measure(work.site, stage, &next, done)?, done)? {
            return Ok(None);
        }
    }
    Ok(Some(locks))
}
