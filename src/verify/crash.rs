//! Crash points: the first statements of a script, then the whole script again, must end like a clean run.
//!
//! A script without a transaction is cut short for real and goes on by the tool's own resume, at each boundary; for
//! a statement that no transaction can hold also between its end and its note in the journal. A transactional one
//! leaves nothing behind when it is cut short; what somebody who runs it by hand would leave is tried with
//! `--thorough`, in transactions that are undone, and weighs less.

use std::collections::BTreeMap;

use super::account::Account;
use super::built::{Built, Moving};
use super::change::{self, State};
use super::outside::{Before, cut_short, is_cut, resumed, runs_bare, single};
use super::points::{bisect, stretches};
use super::report::answered;
use super::stage::Stage;
use super::{Finding, Halt, Level, Proof, Work, twice};
use crate::build::Item;
use crate::engine::{Mode, Session, Unit};
use crate::error::Error;

/// Where a script is cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Point {
    /// How many statements the journal knows to be done.
    noted: usize,
    /// True if one more is done, and nobody noted it.
    and_one: bool,
}

impl Point {
    /// Says where it is.
    fn shown(self, unit: &Unit) -> String {
        match self {
            Self { noted: 0, and_one: true } => "cut short behind its first statement, before that was noted,".into(),
            Self { noted, and_one: true } => {
                format!("cut short behind statement {}, before that was noted,", noted + 1)
            }
            Self { noted, and_one: false } => format!("cut short after {noted} of {} statements", unit.parts.len()),
        }
    }

    /// Returns the last statement that was done.
    fn last(self) -> usize {
        self.noted.saturating_sub(usize::from(!self.and_one))
    }
}

/// Cuts a script without a transaction short at each boundary. `clean` is what a run makes that is not.
pub fn outside(
    work: &Work<'_>,
    before: &mut Before<'_>,
    item: &Item,
    clean: &Built,
    account: &mut Account<'_>,
) -> Result<(), Halt> {
    let Some(unit) = item.unit() else { return Ok(()) };
    let mut attempt = |account: &mut Account<'_>, point| {
        let mut stage = before.copy()?;
        let findings = from(work, before, &mut stage, item, unit, point, clean)?;
        // What is kept is kept with its finding; else it is told with those of its neighbours.
        if work.wish.keep && findings.iter().flatten().next().is_some() {
            let state = format!("after {}, {} it was run again", item.file, point.shown(unit));
            account.note(Proof::CrashPoints, findings.clone().unwrap_or_default(), &mut stage, &state)?;
        }
        Ok(findings)
    };
    for stretch in stretches(unit) {
        let tried = bisect(&stretch, |noted| attempt(account, Point { noted, and_one: false }))?;
        tell(item, tried, account);
    }
    for noted in (0..unit.parts.len()).filter(|part| runs_bare(unit, *part)) {
        let findings = attempt(account, Point { noted, and_one: true })?;
        tell(item, BTreeMap::from([(noted, findings)]), account);
    }
    Ok(())
}

/// Tells what the points of a stretch came to. Of neighbours that fail the first one is told.
fn tell(item: &Item, tried: BTreeMap<usize, Option<Vec<Finding>>>, account: &mut Account<'_>) {
    let outcome = account.of(Proof::CrashPoints);
    let mut is_told = false;
    for (point, findings) in tried {
        match findings {
            Some(findings) if is_told && !findings.is_empty() => outcome.scripts += 1,
            Some(findings) => {
                is_told = !findings.is_empty();
                outcome.fails(findings);
            }
            None => {
                let what = format!("{} after statement {point}", item.file);
                outcome.skip(what, "its first statements do not run in a copy of the database");
            }
        }
    }
}

/// Cuts a script short, lets it go on, and compares. Nothing if it cannot be cut there.
fn from(
    work: &Work<'_>,
    before: &mut Before<'_>,
    stage: &mut Stage,
    item: &Item,
    unit: &Unit,
    point: Point,
    clean: &Built,
) -> Result<Option<Vec<Finding>>, Error> {
    if !is_cut(stage.run(work.site, &cut_short(unit, point.noted)), point.noted)? {
        return Ok(None);
    }
    if point.and_one && answered(stage.run(work.site, &single(unit, point.noted)))?.is_err() {
        return Ok(None);
    }
    // Who was cut short comes back in a session of its own.
    stage.reconnect()?;
    let rest = resumed(work, stage, unit.clone())?;
    if let Err(error) = answered(stage.run(work.site, &rest))? {
        let what = format!("{} the script cannot go on", point.shown(unit));
        return Ok(Some(vec![Finding::of_error(Level::Error, "crash-points/fails", &item.file, &what, error)?]));
    }
    let found = Built::of(stage)?;
    let mut changes = clean.compare(&found, &mut *stage.session, &Moving::default(), work.wish.strict)?.changes;
    if !changes.is_empty() {
        // What is another one in each build says nothing.
        let other = Built::of(&mut before.copy_after(unit)?)?;
        let (moving, _) = clean.moving(&other, &mut *stage.session, work.wish.strict)?;
        changes = clean.compare(&found, &mut *stage.session, &moving, work.wish.strict)?.changes;
    }
    if changes.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let place = unit.parts.get(point.last()).map(|part| unit.text.place(part.span));
    let message = format!("{} it ends in another database: {}", point.shown(unit), twice::summary(&changes));
    let finding = Finding::new(Level::Error, "crash-points/differs", &item.file, message);
    Ok(Some(vec![finding.at(place).with(changes)]))
}

/// Tries the crash points of a transactional script that was not run yet, as if somebody had run it by hand.
pub fn by_hand(work: &Work<'_>, stage: &mut Stage, item: &Item, account: &mut Account<'_>) -> Result<(), Halt> {
    let Some(unit) = item.unit().filter(|unit| unit.mode != Mode::Statements) else { return Ok(()) };
    let units = [unit.clone(), unit.clone()];
    let clean = {
        let mut trial = stage.session.trial(&units)?;
        if answered(twice::run(&mut *trial, 0, unit))?.is_err() {
            return Ok(());
        }
        State::whole(&mut *trial)?
    };
    for stretch in stretches(unit) {
        let within: Vec<usize> = stretch.into_iter().filter(|point| *point < unit.parts.len()).collect();
        let tried = bisect(&within, |point| {
            Ok(Some(cut_by_hand(&mut *stage.session, item, &units, point, &clean, work.wish.strict)?))
        })?;
        tell(item, tried, account);
    }
    Ok(())
}

fn cut_by_hand(
    session: &mut dyn Session,
    item: &Item,
    units: &[Unit; 2],
    point: usize,
    clean: &State,
    strict: bool,
) -> Result<Vec<Finding>, Error> {
    let unit = &units[0];
    let what = format!("run by hand and cut short after {point} of {} statements", unit.parts.len());
    let mut trial = session.trial(units)?;
    let first = (0..point).try_for_each(|part| trial.run(0, part).map(|_| ()));
    let ran = first.and_then(|()| twice::run(&mut *trial, 1, unit));
    if let Err(error) = answered(ran)? {
        let what = format!("{what} the script fails");
        return Ok(vec![Finding::of_error(Level::Warning, "crash-points/by-hand", &item.file, &what, error)?]);
    }
    let found = State::whole(&mut *trial)?;
    let mut changes = clean.objects(&found, strict);
    changes.extend(change::counted(clean, &found));
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let place = unit.parts.get(point.saturating_sub(1)).map(|part| unit.text.place(part.span));
    let message = format!("{what} it ends in another database: {}", twice::summary(&changes));
    Ok(vec![Finding::new(Level::Warning, "crash-points/by-hand", &item.file, message).at(place).with(changes)])
}
