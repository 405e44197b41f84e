//! One walk through the history, on which each file is run and committed, and then tried once more.

use std::time::Instant;

use super::built::Built;
use super::progress::Progress;
use super::stage::{Frozen, Stage};
use super::{Finding, Level, Proof, Report, Work, again, back, code, crash, locks, twice};
use crate::build::{self, Checkout, Item};
use crate::engine::{Mode, Unit};
use crate::error::Error;
use crate::event::Observer;
use crate::journal::Kind;

/// Walks.
pub fn walk(work: &Work<'_>, report: &mut Report, observer: &mut dyn Observer) -> Result<Option<Built>, Error> {
    let mut built = None;
    // Scripts before the first one that is proven run together, as in a build, or come from a template.
    let before = work.items.iter().take_while(|item| item.kind == Kind::Script && !work.is_chosen(item)).count();
    let mut stage = if before == 0 {
        Stage::open(work, &[], observer)?
    } else {
        Stage::built(work, &first_scripts(work, before), observer)?
    };
    let mut progress = Progress::new("verify", work.items.len(), observer);
    for (at, item) in work.items.iter().enumerate().skip(before) {
        let proof = proof_of(item.kind);
        if item.kind == Kind::Code {
            // They are run together, with the first of them.
            if is_first_code(work, at) {
                match code::code(work, stage, report)? {
                    Some(after) => stage = after,
                    None => {
                        ended(work, at, item, report);
                        return Ok(None);
                    }
                }
            }
            progress.step();
            continue;
        }
        // Test data is no part of what the roads lead to.
        if item.kind == Kind::TestData && built.is_none() {
            built = Some(Built::of(&mut stage)?);
        }
        if !work.is_chosen(item) {
            stage.apply(work.site, item)?;
            continue;
        }
        if item.kind == Kind::Script && !work.wish.quick {
            locks::locks(work, &mut stage, item, report)?;
            if work.wish.thorough {
                crash::by_hand(work, &mut stage, item, report)?;
            }
        }
        if let Some(unit) = item.unit()
            && unit.mode == Mode::Statements
        {
            let mut before = Before { work, at, frozen: stage.freeze() };
            let runs = twice::outside(work, &mut before, item, unit, report)?;
            if runs && !work.wish.quick {
                crash::outside(work, &mut before, item, unit, report)?;
                back::outside(work, &mut before, item, unit, report)?;
            }
            stage = before.frozen.thaw()?;
            if !runs {
                ended(work, at, item, report);
                return Ok(None);
            }
            stage.run(work.site, unit)?;
            progress.step();
            continue;
        }
        if let Err(error) = stage.apply(work.site, item) {
            let finding = Finding::of_error(Level::Error, "build/fails", &item.file, "the first run fails", error)?;
            report.of(proof).fails(vec![finding]);
            ended(work, at, item, report);
            return Ok(None);
        }
        let began = Instant::now();
        let findings = twice::second(work, &mut stage, item)?;
        let outcome = report.of(proof);
        outcome.duration += began.elapsed();
        outcome.fails(findings);
        if work.wish.keep && report.errors() > 0 {
            report.kept = Some(stage.keep());
            ended(work, at, item, report);
            return Ok(None);
        }
        if !work.wish.quick {
            back::back(work, &mut stage, item, report)?;
        }
        progress.step();
    }
    if built.is_none() {
        built = Some(Built::of(&mut stage)?);
    }
    if !work.wish.quick {
        again::again(work, &mut stage, report)?;
    }
    Ok(built)
}

fn is_first_code(work: &Work<'_>, at: usize) -> bool {
    at.checked_sub(1).and_then(|before| work.items.get(before)).is_none_or(|before| before.kind != Kind::Code)
}

/// Says that nothing after an item could be run.
fn ended(work: &Work<'_>, at: usize, item: &Item, report: &mut Report) {
    let left = work.items.len() - at - 1;
    if left > 0 {
        report.of(Proof::Twice).skip(format!("{left} files after {}", item.file), "the history ends there");
    }
}

/// Returns the proof that a second run of a file belongs to.
pub fn proof_of(kind: Kind) -> Proof {
    match kind {
        Kind::Seed => Proof::Seeds,
        Kind::Script | Kind::Code | Kind::TestData | Kind::Down | Kind::Access | Kind::Baseline => Proof::Twice,
    }
}

/// Returns a checkout of its first scripts alone.
fn first_scripts(work: &Work<'_>, count: usize) -> Checkout {
    let mut first = work.checkout.clone();
    first.scripts.truncate(count);
    Checkout { code: Vec::new(), seeds: Vec::new(), test_data: Vec::new(), ..first }
}

/// The database as it is before an item, of which copies are made: what cannot be undone is done in them.
pub struct Before<'a> {
    work: &'a Work<'a>,
    at: usize,
    frozen: Frozen,
}

impl Before<'_> {
    /// Makes a copy. Where a copy would not be whole, because scripts set something for the database itself, it is
    /// built anew.
    pub fn copy(&mut self) -> Result<Stage, Error> {
        if let Some(stage) = self.frozen.copy()? {
            return Ok(stage);
        }
        let mut stage = Stage::open(self.work, &[], &mut crate::event::Silent)?;
        up_to(self.work, &mut stage, self.at)?;
        Ok(stage)
    }

    /// Makes a copy in which the item has run once.
    pub fn copy_after(&mut self, unit: &Unit) -> Result<Stage, Error> {
        let mut stage = self.copy()?;
        stage.run(self.work.site, unit)?;
        Ok(stage)
    }
}

/// Runs the first items, scripts together as a build does, and so the code.
fn up_to(work: &Work<'_>, stage: &mut Stage, count: usize) -> Result<(), Error> {
    let items = &work.items[..count.min(work.items.len())];
    let scripts = items.iter().take_while(|item| item.kind == Kind::Script).count();
    if let Some(version) = items.get(scripts.wrapping_sub(1)).and_then(|item| item.version.clone()) {
        let wish = build::Wish { to: Some(version), from_scripts: true, no_baseline: true, ..build::Wish::default() };
        stage.build(work.site, work.checkout, &wish)?;
    }
    if items.iter().any(|item| item.kind == Kind::Code) {
        stage.code(work.site, work.checkout)?;
    }
    for item in items[scripts..].iter().filter(|item| item.kind != Kind::Code) {
        stage.apply(work.site, item)?;
    }
    Ok(())
}
