//! A file runs a second time, right after its first was committed: nothing may change.
//!
//! A transactional one runs in a transaction that is undone. If nothing was written, that is the proof; else its
//! state before and after is compared. One without a transaction runs for real in a copy ([`super::outside`]).

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::blame::{self, Blamed, Suspect};
use super::change::{self, State};
use super::report::answered;
use super::stage::Stage;
use super::{Change, Finding, Level, Proof, Work};
use crate::build::{Item, Work as Content};
use crate::engine::trial::{Definitions, Tables, Trial};
use crate::engine::{EngineError, RowSeed, Session, Unit};
use crate::error::Error;
use crate::journal::Kind;

/// What a second run came to.
pub enum Second {
    /// Nothing changed.
    Same,
    /// It failed.
    Failed(EngineError),
    /// Something changed.
    Differs(Vec<Blamed>),
}

/// Tries an item that was just committed once more, and says what speaks against it.
pub fn second(work: &Work<'_>, stage: &mut Stage, item: &Item) -> Result<Vec<Finding>, Error> {
    match &item.work {
        Content::Text(unit) => {
            let second = tried(&mut *stage.session, unit, None, work.wish.strict)?;
            Ok(findings(item, second)?)
        }
        Content::Rows(rows) => rows_again(work, stage, item, rows),
    }
}

/// How much of the definitions is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// What is near what was written.
    Near,
    /// Everything: what is different is to be told.
    Whole,
}

/// Runs a unit in a transaction that is undone, and compares. `whole` holds the whole state, once somebody needed it,
/// for many units that are tried in one state; without it what the unit touches is looked at.
pub fn tried(
    session: &mut dyn Session,
    unit: &Unit,
    whole: Option<&OnceCell<State>>,
    strict: bool,
) -> Result<Second, EngineError> {
    if !sets_counters(unit) && session.leaves_no_trace(unit)? {
        return Ok(Second::Same);
    }
    // A second try would find the sequences where the first has set them.
    let near = if sets_counters(unit) { None } else { compared(session, unit, (Look::Near, None), strict)? };
    match near {
        Some(second) => Ok(second),
        None => Ok(compared(session, unit, (Look::Whole, whole), strict)?.unwrap_or(Second::Same)),
    }
}

/// Nothing if a look at what is near does not tell what is different.
fn compared(
    session: &mut dyn Session,
    unit: &Unit,
    (look, whole): (Look, Option<&OnceCell<State>>),
    strict: bool,
) -> Result<Option<Second>, EngineError> {
    let units = std::slice::from_ref(unit);
    let sets = sets_counters(unit);
    let counted = if sets { session.trial(&[])?.counters()? } else { BTreeMap::new() };
    let mut trial = session.trial(units)?;
    if let Err(error) = answered(statements(&mut *trial, 0, unit))? {
        return Ok(Some(Second::Failed(located(unit, error))));
    }
    if let Err(error) = answered(trial.settle(0))? {
        drop(trial);
        let part = blame::waiting(session, unit)?;
        return Ok(Some(Second::Failed(placed(unit, part, error))));
    }
    let touched = trial.touched()?;
    let counters = if sets { change::counters(&counted, &trial.counters()?, strict) } else { Vec::new() };
    if touched.is_nothing() && counters.is_empty() {
        return Ok(Some(Second::Same));
    }
    let own;
    let is_near = look == Look::Near && matches!(touched.definitions, Definitions::Near(_));
    let (before, after) = if is_near {
        let Some(after) = State::near(&mut *trial, &touched)? else { return Ok(None) };
        drop(trial);
        let Some(before) = State::near(&mut *session.trial(&[])?, &touched)? else { return Ok(None) };
        own = before;
        (&own, after)
    } else {
        let after = State::of(&mut *trial, &touched)?;
        drop(trial);
        let before = match whole {
            Some(known) => known_or_read(known, session)?,
            None => {
                own = State::of(&mut *session.trial(&[])?, &touched)?;
                &own
            }
        };
        (before, after)
    };
    let objects = before.objects(&after, strict);
    if is_near && !objects.is_empty() {
        return Ok(None);
    }
    let tables = match &touched.tables {
        Tables::All => before.tables(&after),
        Tables::Of(names) => before.tables(&after).into_iter().filter(|name| names.contains(name)).collect(),
    };
    if objects.is_empty() && tables.is_empty() && counters.is_empty() {
        return Ok(Some(Second::Same));
    }
    let (small, large) = change::by_size(&tables, &before.digests, &after.digests);
    let mut blamed = match objects.is_empty() && tables.is_empty() {
        true => Vec::new(),
        false => blame::blame(session, unit, Suspect { before, objects, small, large }, strict)?,
    };
    if !counters.is_empty() {
        // Where no transaction undoes it a sequence may stand by now where the unit sets it: then the last one has it.
        let last = || unit.parts.iter().rposition(|part| word_of_counter(part.span.text(unit.text.as_str())));
        let part = blame::counters(session, unit, &counters, strict)?.or_else(last);
        blamed.push(Blamed { part, changes: counters });
    }
    Ok(Some(Second::Differs(blamed)))
}

fn known_or_read<'a>(known: &'a OnceCell<State>, session: &mut dyn Session) -> Result<&'a State, EngineError> {
    if let Some(state) = known.get() {
        return Ok(state);
    }
    let state = State::whole(&mut *session.trial(&[])?)?;
    Ok(known.get_or_init(|| state))
}

/// Runs all statements of one of a trial's units, and lets what waits for the commit have its say.
pub fn run(trial: &mut dyn Trial, at: usize, unit: &Unit) -> Result<(), EngineError> {
    statements(trial, at, unit)?;
    trial.settle(at)
}

fn statements(trial: &mut dyn Trial, at: usize, unit: &Unit) -> Result<(), EngineError> {
    (0..unit.parts.len()).try_for_each(|part| trial.run(at, part).map(|_| ()))
}

/// A unit's own error knows its place; one of the transaction's end is blamed on the unit's last statement.
pub fn located(unit: &Unit, error: EngineError) -> EngineError {
    match &error {
        EngineError::Unit(failure) if failure.place.is_none() => placed(unit, unit.parts.len().checked_sub(1), error),
        _ => error,
    }
}

/// Blames an error on a statement, if one is known.
fn placed(unit: &Unit, part: Option<usize>, mut error: EngineError) -> EngineError {
    let found = part.and_then(|part| unit.parts.get(part)).map(|part| unit.text.place(part.span));
    if let (EngineError::Unit(failure), Some(found)) = (&mut error, found) {
        failure.place = Some(found);
    }
    error
}

fn sets_counters(unit: &Unit) -> bool {
    unit.parts.iter().any(|part| word_of_counter(part.span.text(unit.text.as_str())))
}

fn word_of_counter(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("setval") || text.contains("sqlite_sequence") || text.contains("restart")
}

/// Makes findings of what a second run came to, one for each statement.
pub fn findings(item: &Item, second: Second) -> Result<Vec<Finding>, EngineError> {
    let seed = item.kind == Kind::Seed;
    match second {
        Second::Same => Ok(Vec::new()),
        Second::Failed(error) => {
            let code = if seed { "seeds/fails" } else { "twice/fails" };
            Ok(vec![Finding::of_error(Level::Error, code, &item.file, "a second run fails", error)?])
        }
        Second::Differs(blamed) => {
            let code = if seed { "seeds/writes" } else { "twice/changes" };
            Ok(blamed.into_iter().map(|blamed| of_blamed(item, code, Level::Error, "a second run", blamed)).collect())
        }
    }
}

/// Makes a finding of what a statement has changed.
pub fn of_blamed(item: &Item, code: &'static str, level: Level, what: &str, blamed: Blamed) -> Finding {
    let place = item.unit().and_then(|unit| {
        let part = unit.parts.get(blamed.part?)?;
        Some(unit.text.place(part.span))
    });
    Finding::new(level, code, &item.file, format!("{what} changes {}", summary(&blamed.changes)))
        .at(place)
        .with(blamed.changes)
}

/// Says in a few words what changed: `2 rows of public.customer, index public.a`.
pub fn summary(changes: &[Change]) -> String {
    let (mut rows, mut named): (BTreeMap<&str, usize>, Vec<String>) = (BTreeMap::new(), Vec::new());
    for change in changes {
        match change {
            Change::Row(row) => *rows.entry(&row.table).or_default() += 1,
            Change::Rows { table, .. } => named.push(format!("the rows of {table}")),
            Change::Object(difference) => named.push(format!("{} {}", difference.kind, difference.name)),
            Change::Counter { name, .. } => named.push(format!("sequence {name}")),
        }
    }
    let rows = rows.into_iter().map(|(table, count)| match count {
        1 => format!("a row of {table}"),
        count => format!("{count} rows of {table}"),
    });
    let mut all: Vec<String> = rows.chain(named).collect();
    if all.len() > 3 {
        let more = all.len() - 3;
        all.truncate(3);
        all.push(format!("{more} more"));
    }
    all.join(", ")
}

/// Loads a CSV file once more: no row may be written.
fn rows_again(work: &Work<'_>, stage: &mut Stage, item: &Item, rows: &RowSeed) -> Result<Vec<Finding>, Error> {
    let before = State::rows(&mut *stage.session.trial(&[])?)?;
    let mut again = rows.clone();
    again.entry.attempt += 1;
    let loaded = match answered(stage.load(work.site, &again))? {
        Ok(loaded) => loaded,
        Err(error) => {
            return Ok(vec![Finding::of_error(Level::Error, "seeds/fails", &item.file, "a second run fails", error)?]);
        }
    };
    let after = State::rows(&mut *stage.session.trial(&[])?)?;
    let changes = change::counted(&before, &after);
    let written = loaded.inserted + loaded.updated + loaded.deleted;
    if changes.is_empty() && written == 0 {
        return Ok(Vec::new());
    }
    let message = format!("a second run writes {written} rows of {}", rows.table);
    Ok(vec![Finding::new(Level::Error, "seeds/writes", &item.file, message).with(changes)])
}

/// Returns the proof that a second run of a file belongs to.
pub fn proof_of(kind: Kind) -> Proof {
    match kind {
        Kind::Seed => Proof::Seeds,
        Kind::Script | Kind::Code | Kind::TestData | Kind::Down | Kind::Access | Kind::Baseline => Proof::Twice,
    }
}
