//! Crash points: the first statements of a script, then the whole script again, must end like a clean run.
//!
//! A script without a transaction is cut short for real and goes on by the tool's own resume, at each boundary; for
//! a statement that no transaction can hold also between its end and its note in the journal. It is cut short at one
//! after the other in one copy of the database first: who comes to the same end that way has had to go on from each.
//! Where that fails, each is tried in a copy of its own. A transactional one
//! leaves nothing behind when it is cut short; what somebody who runs it by hand would leave is tried with
//! `--thorough`, in transactions that are undone, and weighs less.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::account::Account;
use super::built::{Built, Moving};
use super::change::{self, State};
use super::locks::Locks;
use super::outside::{Before, cut_short, is_cut, resumed, runs_bare, single};
use super::points::{MOST, bisect, ends_and_middle, singly, stretches};
use super::report::answered;
use super::stage::Stage;
use super::{Change, Finding, Halt, Level, Proof, Work, twice};
use crate::build::Item;
use crate::engine::{EngineError, Mode, Session, Unit};
use crate::error::Error;
use crate::journal::Kind;
use crate::sql::{Dialect, Tokens};

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

/// A script without a transaction, and what it makes when it is not cut short.
struct Subject<'a, 'b> {
    work: &'a Work<'b>,
    item: &'a Item,
    unit: &'a Unit,
    clean: &'a Built,
    /// What is another one in each build, once somebody asked.
    moving: OnceCell<Moving>,
}

/// Cuts a script without a transaction short at each boundary. `clean` is what a run makes that is not. Returns what its
/// statements were seen to lock on the way, if it went on from each.
pub fn outside<'a>(
    work: &'a Work<'_>,
    before: &mut Before<'_>,
    item: &'a Item,
    clean: &'a Built,
    account: &mut Account<'_>,
) -> Result<Option<Locks<'a>>, Halt> {
    let Some(unit) = item.unit() else { return Ok(None) };
    let subject = Subject { work, item, unit, clean, moving: OnceCell::new() };
    let all = points(unit);
    let step = all.len().div_ceil(MOST);
    let some: Vec<Point> = all.iter().rev().step_by(step.max(1)).rev().copied().collect();
    if some.len() < all.len() {
        let why = format!("it has {} places to be cut short at, and {} of them are tried", all.len(), some.len());
        account.of(Proof::CrashPoints).skip(&item.file, why);
    }
    let locks = subject.goes_on_from_each(before, &some)?;
    match &locks {
        Some(_) => some.iter().for_each(|_| account.of(Proof::CrashPoints).proven()),
        None => each_in_a_copy(&subject, before, account)?,
    }
    Ok(locks)
}

/// Cuts the script short at each boundary in a copy of its own, many by bisection, and tells what came of it.
fn each_in_a_copy(subject: &Subject<'_, '_>, before: &mut Before<'_>, account: &mut Account<'_>) -> Result<(), Halt> {
    let Subject { work, item, unit, .. } = subject;
    let mut attempt = |account: &mut Account<'_>, point: Point| {
        let mut stage = before.copy()?;
        let findings = subject.from(before, &mut stage, point)?;
        // What is kept is kept with its finding; else it is told with those of its neighbours.
        if work.wish.keep && findings.iter().flatten().next().is_some() {
            let state = format!("after {}, {} it was run again", item.file, point.shown(unit));
            account.note(Proof::CrashPoints, findings.clone().unwrap_or_default(), &mut stage, &state)?;
        }
        Ok(findings)
    };
    let noted = |and_one| move |noted| Point { noted, and_one };
    let bare: Vec<usize> = (0..unit.parts.len()).filter(|part| runs_bare(unit, *part)).collect();
    // Many are bisected, whatever they are.
    let apart = |all: Vec<usize>| if all.len() > MOST { vec![all] } else { singly(all) };
    let stretches = if points(unit).len() > MOST { vec![(1..=unit.parts.len()).collect()] } else { stretches(unit) };
    for stretch in stretches {
        let tried = bisect(&stretch, |at| attempt(account, noted(false)(at)))?;
        tell(item, tried, account);
    }
    for stretch in apart(bare) {
        let tried = bisect(&stretch, |at| attempt(account, noted(true)(at)))?;
        tell(item, tried, account);
    }
    Ok(())
}

/// Returns true if a unit's statements are of the kind that takes no number from a sequence: to try one changes nothing
/// then, though it is undone.
fn only_defines(unit: &Unit) -> bool {
    let defines = |part: usize| {
        let words = ["create", "alter", "drop", "comment", "grant", "revoke", "set", "reset", "reindex", "analyze"];
        Tokens::new(unit.text.as_str(), unit.parts[part].span, Dialect::Postgres).at_any(&words)
    };
    (0..unit.parts.len()).all(defines)
}

/// Returns where a script is cut short, in the order in which it comes there: of a long run of row statements behind
/// the first, the middle and the last.
fn points(unit: &Unit) -> Vec<Point> {
    let noted = stretches(unit).into_iter().flat_map(|stretch| ends_and_middle(&stretch));
    let noted = noted.map(|noted| Point { noted, and_one: false });
    let bare = (0..unit.parts.len()).filter(|part| runs_bare(unit, *part));
    let mut points: Vec<Point> = noted.chain(bare.map(|noted| Point { noted, and_one: true })).collect();
    points.sort_by_key(|point| (point.noted, point.and_one));
    points
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

impl<'a> Subject<'a, '_> {
    /// Cuts the script short at one point after the other, in one database, and measures its statements on the way.
    /// Nothing unless it goes on from each of them and ends where a clean run ends.
    fn goes_on_from_each(&self, before: &mut Before<'_>, points: &[Point]) -> Result<Option<Locks<'a>>, Error> {
        let mut stage = before.copy()?;
        let (site, unit) = (self.work.site, self.unit);
        let is_measured = self.item.kind == Kind::Script && only_defines(unit);
        let mut locks = Locks::of(&mut stage, unit, is_measured)?;
        for point in points {
            let next = resumed(self.work, &mut stage, cut_short(unit, point.noted))?;
            let ran = locks.measure(site, &mut stage, &next, point.noted)?;
            if !is_cut(ran, point.noted)? {
                return Ok(None);
            }
            if point.and_one {
                let ran = locks.measure(site, &mut stage, &single(unit, point.noted), point.noted + 1)?;
                if answered(ran)?.is_err() {
                    return Ok(None);
                }
            }
            // Who was cut short comes back in a session of its own.
            stage.reconnect()?;
        }
        let rest = resumed(self.work, &mut stage, unit.clone())?;
        let is_same = answered(stage.run(site, &rest))?.is_ok() && self.apart(before, &mut stage)?.is_empty();
        Ok(is_same.then_some(locks))
    }

    /// Runs what is cut short at a point. False if it does not come there.
    fn comes_to(&self, stage: &mut Stage, cut: &Unit, point: Point) -> Result<bool, EngineError> {
        let site = self.work.site;
        Ok(is_cut(stage.run(site, cut), point.noted)?
            && (!point.and_one || answered(stage.run(site, &single(self.unit, point.noted)))?.is_ok()))
    }

    /// Cuts the script short, lets it go on, and compares. Nothing if it cannot be cut there.
    fn from(&self, before: &mut Before<'_>, stage: &mut Stage, point: Point) -> Result<Option<Vec<Finding>>, Error> {
        let Self { work, item, unit, .. } = self;
        if !self.comes_to(stage, &cut_short(unit, point.noted), point)? {
            return Ok(None);
        }
        stage.reconnect()?;
        let rest = resumed(work, stage, (*unit).clone())?;
        if let Err(error) = answered(stage.run(work.site, &rest))? {
            let what = format!("{} the script cannot go on", point.shown(unit));
            return Ok(Some(vec![Finding::of_error(Level::Error, "crash-points/fails", &item.file, &what, error)?]));
        }
        let changes = self.apart(before, stage)?;
        if changes.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let place = unit.parts.get(point.last()).map(|part| unit.text.place(part.span));
        let message = format!("{} it ends in another database: {}", point.shown(unit), twice::summary(&changes));
        let finding = Finding::new(Level::Error, "crash-points/differs", &item.file, message);
        Ok(Some(vec![finding.at(place).with(changes)]))
    }

    /// Returns what a database has otherwise than a clean run makes it.
    fn apart(&self, before: &mut Before<'_>, stage: &mut Stage) -> Result<Vec<Change>, Error> {
        let Self { work, clean, .. } = self;
        let found = Built::of(stage)?;
        let strict = work.wish.strict;
        let changes = clean.compare(&found, &mut *stage.session, &Moving::default(), strict)?.changes;
        if changes.is_empty() {
            return Ok(changes);
        }
        // What is another one in each build says nothing.
        if self.moving.get().is_none() {
            let other = Built::of(&mut before.copy_after(self.unit)?)?;
            let (moving, _) = clean.moving(&other, &mut *stage.session, strict)?;
            self.moving.set(moving).ok();
        }
        let moving = self.moving.get_or_init(Moving::default);
        Ok(clean.compare(&found, &mut *stage.session, moving, strict)?.changes)
    }
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
