//! What cannot be undone is done in copies of the database as it is before an item: scripts without a transaction,
//! whole, cut short, or a statement at a time.

use super::account::Account;
use super::blame::Blamed;
use super::built::Built;
use super::change;
use super::report::answered;
use super::stage::{Frozen, Stage};
use super::twice::{self, Second};
use super::{Finding, Halt, Level, Proof, Work, back, blame, crash, locks};
use crate::build::{self, Item};
use crate::engine::{EngineError, Mode, Part, Unit};
use crate::error::Error;
use crate::event::Silent;
use crate::journal::Kind;
use crate::script::{Checksum, Text};
use crate::sql::Span;

/// What no database knows.
const CUT_SHORT: &str = "select dbbuild_was_cut_short_here";

/// A state of the database, of which copies are made.
pub struct Before<'a> {
    work: &'a Work<'a>,
    /// How many items have run.
    at: usize,
    frozen: Frozen,
}

impl<'a> Before<'a> {
    /// Ends a session, so that its database can be copied.
    pub fn freeze(work: &'a Work<'a>, at: usize, stage: Stage) -> Self {
        Self { work, at, frozen: stage.freeze() }
    }

    /// Opens the database itself.
    pub fn thaw(self) -> Result<Stage, Error> {
        self.frozen.thaw()
    }

    /// Makes a copy. Where a copy would not be whole, because scripts set something for the database itself, it is
    /// built anew.
    pub fn copy(&mut self) -> Result<Stage, Error> {
        if let Some(stage) = self.frozen.copy()? {
            return Ok(stage);
        }
        let mut stage = Stage::open(self.work, &[], &mut Silent)?;
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
        stage.build(work.site, work.checkout, &wish, &mut Silent)?;
    }
    if items.iter().any(|item| item.kind == Kind::Code) {
        stage.code(work.site, work.checkout)?;
    }
    for item in items[scripts..].iter().filter(|item| item.kind != Kind::Code) {
        stage.apply(work.site, item)?;
    }
    Ok(())
}

/// Proves what there is to prove of an item without a transaction. False if it does not run at all.
pub fn prove(
    work: &Work<'_>,
    before: &mut Before<'_>,
    item: &Item,
    unit: &Unit,
    account: &mut Account<'_>,
) -> Result<bool, Halt> {
    let proof = twice::proof_of(item.kind);
    let Some((clean, stage)) = account.timed(proof, |account| twice_in_a_copy(work, before, item, unit, account))?
    else {
        return Ok(false);
    };
    if !work.wish.quick {
        account.timed(Proof::Back, |account| back::outside(work, before, stage, item, account))?;
        let measured =
            account.timed(Proof::CrashPoints, |account| crash::outside(work, before, item, &clean, account))?;
        if item.kind == Kind::Script {
            account.timed(Proof::Locks, |account| locks::outside(work, before, (item, unit), measured, account))?;
        }
    }
    Ok(true)
}

/// Returns what the first run has made, and where it has run a second time, if that changed nothing. Nothing at all if
/// the first one fails.
fn twice_in_a_copy(
    work: &Work<'_>,
    before: &mut Before<'_>,
    item: &Item,
    unit: &Unit,
    account: &mut Account<'_>,
) -> Result<Option<(Built, Option<Stage>)>, Halt> {
    let proof = twice::proof_of(item.kind);
    let mut stage = before.copy()?;
    if let Err(error) = answered(stage.run(work.site, unit))? {
        let finding = Finding::of_error(Level::Error, "build/fails", &item.file, "the first run fails", error)?;
        account.note(proof, vec![finding], &mut stage, &format!("as {} left it when it failed", item.file))?;
        return Ok(None);
    }
    let clean = Built::of(&mut stage)?;
    let second = once_more(work, &mut stage, unit)?;
    let second = match second {
        Second::Differs(whole) => {
            let changes = whole.iter().flat_map(|blamed| blamed.changes.clone()).collect();
            let blamed = blame::outside(work, before.copy_after(unit)?, unit, changes)?;
            Second::Differs(if blamed.is_empty() { whole } else { blamed })
        }
        other => other,
    };
    let is_same = matches!(second, Second::Same);
    account.note(proof, twice::findings(item, second)?, &mut stage, &format!("after {} ran twice", item.file))?;
    Ok(Some((clean, is_same.then_some(stage))))
}

/// Runs a unit that has run once more, for real, and compares.
pub fn once_more(work: &Work<'_>, stage: &mut Stage, unit: &Unit) -> Result<Second, Error> {
    let before = stage.state()?;
    if let Err(error) = answered(stage.run(work.site, &again(unit)))? {
        return Ok(Second::Failed(twice::located(unit, error)));
    }
    let after = stage.state()?;
    let mut changes = before.objects(&after, work.wish.strict);
    changes.extend(change::counted(&before, &after));
    Ok(if changes.is_empty() { Second::Same } else { Second::Differs(vec![Blamed { part: None, changes }]) })
}

/// Returns a unit for a run after its first.
pub fn again(unit: &Unit) -> Unit {
    let mut again = unit.clone();
    again.entry.attempt += 1;
    again
}

/// Returns a unit that stops behind some of its statements. Those are the same as the whole one's, so that the
/// whole one may go on from there.
pub fn cut_short(unit: &Unit, done: usize) -> Unit {
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

/// Returns true if a run that was cut short behind some statements failed there, and nowhere else.
pub fn is_cut(ran: Result<(), EngineError>, done: usize) -> Result<bool, EngineError> {
    Ok(matches!(answered(ran)?, Err(EngineError::Unit(failure)) if failure.kept == Some(done)))
}

/// Returns a unit that goes on where the journal says that it is.
pub fn resumed(work: &Work<'_>, stage: &mut Stage, unit: Unit) -> Result<Unit, EngineError> {
    let inspection = stage.session.inspect(&work.site.project.name)?;
    let entries = inspection.journal.unwrap_or_default();
    let running = entries.into_iter().find(|entry| entry.kind == unit.entry.kind && entry.key == unit.entry.key);
    Ok(Unit { running, ..unit })
}

/// Makes a unit of one statement, under a key of its own.
pub fn single(unit: &Unit, part: usize) -> Unit {
    let mut single = unit.clone();
    single.parts = unit.parts.get(part).cloned().into_iter().collect();
    single.entry.key = format!("{}#{part}", unit.entry.key);
    single.entry.order_key = single.entry.key.clone();
    single
}

/// Returns true for a statement that no transaction can hold.
pub fn runs_bare(unit: &Unit, part: usize) -> bool {
    let part = &unit.parts[part];
    part.refuses_transaction || part.may_commit
}

/// Returns the unit of an item that runs without a transaction.
pub fn of(item: &Item) -> Option<&Unit> {
    item.unit().filter(|unit| unit.mode == Mode::Statements)
}
