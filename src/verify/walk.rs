//! One walk through the history, on which each file is run and committed, and then tried once more.

use super::account::Account;
use super::built::Built;
use super::outside::Before;
use super::stage::Stage;
use super::twice::proof_of;
use super::{Finding, Halt, Level, Proof, Work, again, back, code, crash, locks, outside, twice};
use crate::build::{Checkout, Item};
use crate::journal::Kind;

/// Walks. Nothing to go on with if the history does not come to its end.
pub fn walk(work: &Work<'_>, account: &mut Account<'_>) -> Result<Option<Built>, Halt> {
    let mut built = None;
    // Scripts before the first one that is proven run together, as in a build, or come from a template.
    let before = work.items.iter().take_while(|item| item.kind == Kind::Script && !work.is_chosen(item)).count();
    let mut stage = if before == 0 {
        Stage::open(work, &[], account.observer)?
    } else {
        Stage::built(work, &first_scripts(work, before), account.observer)?
    };
    for (at, item) in work.items.iter().enumerate().skip(before) {
        // Test data is no part of what the roads lead to.
        if item.kind == Kind::TestData && built.is_none() {
            built = Some(Built::of(&mut stage)?);
        }
        let Some(after) = pass(work, stage, at, item, account)? else {
            let left = work.items.len() - at - 1;
            if left > 0 {
                account.of(Proof::Twice).skip(format!("{left} files after {}", item.file), "the history ends there");
            }
            return Ok(None);
        };
        stage = after;
        if work.is_chosen(item) {
            account.report.tried.insert(item.file.clone());
        }
        account.step();
    }
    if built.is_none() {
        built = Some(Built::of(&mut stage)?);
    }
    for proof in [Proof::Twice, Proof::Seeds, Proof::CrashPoints, Proof::Back, Proof::Locks] {
        account.report.finish(proof);
    }
    if !work.wish.quick {
        account.timed(Proof::Again, |account| again::again(work, stage, account))?;
        account.report.finish(Proof::Again);
    }
    Ok(built)
}

/// Runs an item, and proves what there is to prove of it. Nothing is left to go on with if it does not run at all.
fn pass(
    work: &Work<'_>,
    mut stage: Stage,
    at: usize,
    item: &Item,
    account: &mut Account<'_>,
) -> Result<Option<Stage>, Halt> {
    if item.kind == Kind::Code {
        // They are run together, with the first of them.
        return if is_first_code(work, at) { code::code(work, stage, account) } else { Ok(Some(stage)) };
    }
    if !work.is_chosen(item) {
        stage.apply(work.site, item)?;
        return Ok(Some(stage));
    }
    if !work.wish.quick {
        back::unreadable(item, account);
    }
    if let Some(unit) = outside::of(item) {
        let mut before = Before::freeze(work, at, stage);
        if !outside::prove(work, &mut before, item, unit, account)? {
            return Ok(None);
        }
        let mut stage = before.thaw()?;
        stage.run(work.site, unit)?;
        return Ok(Some(stage));
    }
    let mut measured = None;
    if item.kind == Kind::Script && !work.wish.quick {
        if work.wish.thorough {
            account.timed(Proof::CrashPoints, |account| crash::by_hand(work, &mut stage, item, account))?;
        }
        measured = account.timed(Proof::Locks, |account| locks::applied(work, &mut stage, item, account))?;
    }
    let rows = measured.map_or_else(|| stage.apply(work.site, item), Ok);
    if matches!(rows, Ok(0)) {
        account.report.without_rows.insert(item.file.clone());
    }
    if let Err(error) = rows {
        let finding = Finding::of_error(Level::Error, "build/fails", &item.file, "the first run fails", error)?;
        account.note(proof_of(item.kind), vec![finding], &mut stage, &format!("before {}", item.file))?;
        return Ok(None);
    }
    account.timed(proof_of(item.kind), |account| {
        let findings = twice::second(work, &mut stage, item)?;
        account.note(proof_of(item.kind), findings, &mut stage, &format!("after the first run of {}", item.file))
    })?;
    if !work.wish.quick && item.down.is_some() {
        account.timed(Proof::Back, |account| back::back(work, &mut stage, item, account))?;
    }
    Ok(Some(stage))
}

fn is_first_code(work: &Work<'_>, at: usize) -> bool {
    at.checked_sub(1).and_then(|before| work.items.get(before)).is_none_or(|before| before.kind != Kind::Code)
}

/// Returns a checkout of its first scripts alone.
fn first_scripts(work: &Work<'_>, count: usize) -> Checkout {
    let mut first = work.checkout.clone();
    first.scripts.truncate(count);
    first.scripts_alone()
}
