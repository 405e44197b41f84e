//! One walk through the history, on which each file is run and committed, and then tried once more.

use std::time::Instant;

use super::built::Built;
use super::progress::Progress;
use super::stage::Stage;
use super::twice::{self, Left};
use super::{Finding, Level, Proof, Report, Work, again, back, crash, locks};
use crate::build::{self, Checkout, Item};
use crate::error::Error;
use crate::event::Observer;
use crate::journal::Kind;

/// Walks.
pub fn walk(work: &Work<'_>, report: &mut Report, observer: &mut dyn Observer) -> Result<Option<Built>, Error> {
    let mut built = None;
    // Scripts before the first one that is proven run together, as in a build, or come from a template.
    let before = work.items.iter().take_while(|item| item.kind == Kind::Script && !work.is_chosen(item)).count();
    let mut stage = if before == 0 {
        Stage::open(work.site, work.environment, observer)?
    } else {
        Stage::built(work.site, &first_scripts(work, before), work.environment, observer)?
    };
    let mut progress = Progress::new("verify", work.items.len(), observer);
    for (at, item) in work.items.iter().enumerate().skip(before) {
        let proof = proof_of(item.kind);
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
            && unit.mode == crate::engine::Mode::Statements
        {
            match twice::outside(work, &mut stage, item, unit, report)? {
                Left::Clean => {}
                Left::Spoiled => stage = rebuilt(work, at, stage)?,
                Left::Nothing => {
                    ended(work, at, item, report);
                    return Ok(None);
                }
            }
            if !work.wish.quick {
                crash::outside(work, at, item, unit, report)?;
                back::back(work, &mut stage, item, report)?;
            }
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
        Kind::Script | Kind::Code | Kind::TestData | Kind::Down | Kind::Access => Proof::Twice,
    }
}

/// Returns a checkout of its first scripts alone.
fn first_scripts(work: &Work<'_>, count: usize) -> Checkout {
    let mut first = work.checkout.clone();
    first.scripts.truncate(count);
    Checkout { code: Vec::new(), seeds: Vec::new(), test_data: Vec::new(), ..first }
}

/// Makes a database that has everything up to an item, as clean runs leave it.
fn rebuilt(work: &Work<'_>, at: usize, old: Stage) -> Result<Stage, Error> {
    drop(old);
    let mut stage = Stage::open(work.site, work.environment, &mut crate::event::Silent)?;
    up_to(work, &mut stage, at + 1)?;
    Ok(stage)
}

/// Runs the first items, scripts together as a build does.
pub fn up_to(work: &Work<'_>, stage: &mut Stage, count: usize) -> Result<(), Error> {
    let items = &work.items[..count.min(work.items.len())];
    let scripts = items.iter().take_while(|item| item.kind == Kind::Script).count();
    if let Some(version) = items.get(scripts.wrapping_sub(1)).and_then(|item| item.version.clone()) {
        let wish = build::Wish { to: Some(version), from_scripts: true, no_baseline: true, ..build::Wish::default() };
        stage.build(work.site, work.checkout, &wish)?;
    }
    for item in &items[scripts..] {
        stage.apply(work.site, item)?;
    }
    Ok(())
}
