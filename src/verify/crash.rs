//! Crash points: the first statements of a script, then the whole script again, must end like a clean run.
//!
//! A script without a transaction is cut short for real and goes on by the tool's own resume, at each boundary; for
//! a statement that no transaction can hold also between its end and its note in the journal. A transactional one
//! leaves nothing behind when it is cut short; what somebody who runs it by hand would leave is tried with
//! `--thorough`, in transactions that are undone, and weighs less.

use std::collections::BTreeSet;
use std::time::Instant;

use super::blame::single;
use super::built::{Built, volatile};
use super::change::{self, State};
use super::stage::Stage;
use super::walk::Before;
use super::{Finding, Level, Proof, Report, Work, twice};
use crate::build::Item;
use crate::engine::{EngineError, Mode, Part, Unit};
use crate::error::Error;
use crate::script::{Checksum, Text};
use crate::sql::Span;

/// What no database knows.
const CUT_SHORT: &str = "select dbbuild_was_cut_short_here";

/// The longest run of row statements whose boundaries are all tried.
const ALL: usize = 8;

/// Where a script is cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Point {
    /// How many statements the journal knows to be done.
    noted: usize,
    /// True if one more is done, and nobody noted it.
    and_one: bool,
}

/// Cuts a script without a transaction short at each boundary.
pub fn outside(
    work: &Work<'_>,
    copies: &mut Before<'_>,
    item: &Item,
    unit: &Unit,
    report: &mut Report,
) -> Result<(), Error> {
    let began = Instant::now();
    let mut points: Vec<Point> = boundaries(unit).into_iter().map(|noted| Point { noted, and_one: false }).collect();
    let bare = (0..unit.parts.len()).filter(|part| runs_bare(unit, *part));
    points.extend(bare.map(|noted| Point { noted, and_one: true }));
    let clean = Built::of(&mut copies.copy_after(unit)?)?;
    for point in points {
        match from(work, copies, item, unit, point, &clean)? {
            Some(findings) => report.of(Proof::CrashPoints).fails(findings),
            None => {
                let what = format!("{} after statement {}", item.file, point.noted);
                report.of(Proof::CrashPoints).skip(what, "its first statements do not run in a copy of the database");
            }
        }
    }
    report.of(Proof::CrashPoints).duration += began.elapsed();
    Ok(())
}

fn runs_bare(unit: &Unit, part: usize) -> bool {
    let part = &unit.parts[part];
    part.refuses_transaction || part.may_commit
}

/// Returns the numbers of finished statements at which a script is cut short: all, but of a long run of row
/// statements its ends and its middle.
fn boundaries(unit: &Unit) -> Vec<usize> {
    let is_row = |part: &Part| {
        let head = part.span.text(unit.text.as_str()).trim_start().to_ascii_lowercase();
        ["insert", "update", "delete", "copy", "select"].iter().any(|word| head.starts_with(word))
    };
    let mut points = BTreeSet::new();
    let mut run: Vec<usize> = Vec::new();
    let close = |run: &mut Vec<usize>, points: &mut BTreeSet<usize>| {
        if run.len() <= ALL {
            points.extend(run.iter().copied());
        } else {
            points.extend([run.first(), run.get(run.len() / 2), run.last()].into_iter().flatten().copied());
        }
        run.clear();
    };
    for (at, part) in unit.parts.iter().enumerate() {
        if is_row(part) {
            run.push(at + 1);
        } else {
            close(&mut run, &mut points);
            points.insert(at + 1);
        }
    }
    close(&mut run, &mut points);
    points.into_iter().collect()
}

/// Cuts a script short, lets it go on, and compares. Nothing if it cannot be cut there.
fn from(
    work: &Work<'_>,
    copies: &mut Before<'_>,
    item: &Item,
    unit: &Unit,
    point: Point,
    clean: &Built,
) -> Result<Option<Vec<Finding>>, Error> {
    let mut stage = copies.copy()?;
    let what = match point {
        Point { noted: 0, and_one: true } => "cut short behind its first statement, before that was noted,".to_owned(),
        Point { noted, and_one: true } => {
            format!("cut short behind statement {}, before that was noted,", noted + 1)
        }
        Point { noted, and_one: false } => format!("cut short after {noted} of {} statements", unit.parts.len()),
    };
    // It fails where it is cut, and nowhere else.
    match stage.run(work.site, &cut_short(unit, point.noted)) {
        Err(EngineError::Unit(failure)) if failure.kept == Some(point.noted) => {}
        Err(EngineError::Unit(_) | EngineError::Refused { .. }) | Ok(()) => return Ok(None),
        Err(other) => return Err(other.into()),
    }
    if point.and_one {
        match stage.run(work.site, &single(unit, point.noted)) {
            Ok(()) => {}
            Err(EngineError::Unit(_) | EngineError::Refused { .. }) => return Ok(None),
            Err(other) => return Err(other.into()),
        }
    }
    let inspection = stage.session.inspect(&work.site.project.name)?;
    let entries = inspection.journal.unwrap_or_default();
    let running = entries.into_iter().find(|entry| entry.kind == item.kind && entry.key == unit.entry.key);
    let resumed = Unit { running, ..unit.clone() };
    match stage.run(work.site, &resumed) {
        Ok(()) => {}
        Err(error @ (EngineError::Unit(_) | EngineError::Refused { .. })) => {
            let what = format!("{what} the script cannot go on");
            return Ok(Some(vec![Finding::of_error(Level::Error, "crash-points/fails", &item.file, &what, error)?]));
        }
        Err(other) => return Err(other.into()),
    }
    let found = Built::of(&mut stage)?;
    let apart = clean.compare(&found, &mut *stage.session, &BTreeSet::new(), work.wish.strict)?;
    if apart.changes.is_empty() {
        return Ok(Some(Vec::new()));
    }
    // What is another one in each build says nothing.
    let other = Built::of(&mut copies.copy_after(unit)?)?;
    let apart = clean.compare(&other, &mut *stage.session, &BTreeSet::new(), work.wish.strict)?;
    let moving = volatile(&apart.changes, clean);
    let apart = clean.compare(&found, &mut *stage.session, &moving, work.wish.strict)?;
    if apart.changes.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let place = unit.parts.get(point.noted.saturating_sub(usize::from(!point.and_one)));
    Ok(Some(vec![Finding {
        level: Level::Error,
        code: "crash-points/differs",
        file: item.file.clone(),
        message: format!("{what} it ends in another database: {}", twice::summary(&apart.changes)),
        place: place.map(|part| unit.text.place(part.span)),
        error: None,
        changes: apart.changes,
        hint: None,
    }]))
}

/// Returns a unit that stops behind some of its statements. Those are the same as the whole one's, so that the
/// whole one may go on from there.
fn cut_short(unit: &Unit, done: usize) -> Unit {
    let whole = unit.text.as_str();
    let start = whole.len() + 2;
    let text = Text::of_file(unit.text.file(), format!("{whole}\n;{CUT_SHORT}\n"));
    let stop = Part {
        span: Span::new(start, start + CUT_SHORT.len()),
        copy_data: None,
        guards: Vec::new(),
        repeat: false,
        refuses_transaction: false,
        may_commit: false,
        sets_session: false,
        digest: Checksum::of_text(CUT_SHORT),
    };
    let parts = unit.parts.iter().take(done).cloned().chain(std::iter::once(stop)).collect();
    Unit { text, parts, running: None, ..unit.clone() }
}

/// Tries the crash points of a transactional script that was not run yet, as if somebody had run it by hand.
pub fn by_hand(work: &Work<'_>, stage: &mut Stage, item: &Item, report: &mut Report) -> Result<(), Error> {
    let Some(unit) = item.unit().filter(|unit| unit.mode != Mode::Statements) else { return Ok(()) };
    let began = Instant::now();
    let units = [unit.clone(), unit.clone()];
    let clean = {
        let mut trial = stage.session.trial(&units)?;
        if twice::whole(&mut *trial, unit).is_err() {
            return Ok(());
        }
        State::whole(&mut *trial)?
    };
    let outcome = report.of(Proof::CrashPoints);
    for point in boundaries(unit).into_iter().filter(|point| *point < unit.parts.len()) {
        let mut trial = stage.session.trial(&units)?;
        let what = format!("run by hand and cut short after {point} of {} statements", unit.parts.len());
        let ran = (0..point)
            .try_for_each(|part| trial.run(0, part).map(|_| ()))
            .and_then(|()| (0..unit.parts.len()).try_for_each(|part| trial.run(1, part).map(|_| ())))
            .and_then(|()| trial.settle(1));
        match ran {
            Ok(()) => {}
            Err(error @ (EngineError::Unit(_) | EngineError::Refused { .. })) => {
                let what = format!("{what} the script fails");
                outcome.fails(vec![Finding::of_error(
                    Level::Warning,
                    "crash-points/by-hand",
                    &item.file,
                    &what,
                    error,
                )?]);
                continue;
            }
            Err(other) => return Err(other.into()),
        }
        let found = State::whole(&mut *trial)?;
        let mut changes = clean.objects(&found, work.wish.strict);
        let tables = clean.tables(&found);
        changes.extend(change::rows(&[], &[], (&clean.digests, &found.digests), &tables));
        let place = unit.parts.get(point.saturating_sub(1)).map(|part| unit.text.place(part.span));
        outcome.fails(match changes.is_empty() {
            true => Vec::new(),
            false => vec![Finding {
                level: Level::Warning,
                code: "crash-points/by-hand",
                file: item.file.clone(),
                message: format!("{what} it ends in another database: {}", twice::summary(&changes)),
                place,
                error: None,
                changes,
                hint: None,
            }],
        });
    }
    outcome.duration += began.elapsed();
    Ok(())
}
