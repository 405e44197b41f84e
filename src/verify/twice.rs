//! A file runs a second time, right after its first was committed: nothing may change.
//!
//! A transactional one runs in a transaction that is undone. If nothing was written, that is the proof; else its
//! state before and after is compared. One without a transaction runs for real, and its database is made anew if it
//! fails or changes something.

use std::collections::BTreeMap;
use std::time::Instant;

use super::blame::{self, Blamed};
use super::change::{self, State};
use super::stage::Stage;
use super::walk::{Before, proof_of};
use super::{Change, Finding, Level, Report, Work};
use crate::build::{Item, Work as Content};
use crate::engine::trial::{Tables, Touched, Trial};
use crate::engine::{EngineError, RowSeed, Session, Unit};
use crate::error::Error;
use crate::journal::Kind;
use crate::sql::Name;

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

/// Runs a unit in a transaction that is undone, and compares. `before` is what is known of the state already.
pub fn tried(
    session: &mut dyn Session,
    unit: &Unit,
    before: Option<&State>,
    strict: bool,
) -> Result<Second, EngineError> {
    let units = std::slice::from_ref(unit);
    let sets = sets_counters(unit);
    let counted = if sets { session.trial(&[])?.counters()? } else { BTreeMap::new() };
    let mut trial = session.trial(units)?;
    match whole(&mut *trial, unit) {
        Ok(()) => {}
        Err(error @ (EngineError::Unit(_) | EngineError::Refused { .. })) => {
            drop(trial);
            return Ok(Second::Failed(located(unit, error)));
        }
        Err(error) => return Err(error),
    }
    let touched = trial.touched()?;
    let counters = if sets { change::counters(&counted, &trial.counters()?, strict) } else { Vec::new() };
    if touched.is_nothing() && counters.is_empty() {
        return Ok(Second::Same);
    }
    let after = State::of(&mut *trial, &touched)?;
    drop(trial);
    let own;
    let before = match before {
        Some(before) => before,
        None => {
            own = State::of(&mut *session.trial(&[])?, &touched)?;
            &own
        }
    };
    let objects = before.objects(&after, strict);
    let tables = match &touched.tables {
        Tables::All => before.tables(&after),
        Tables::Of(names) => before.tables(&after).into_iter().filter(|name| names.contains(name)).collect(),
    };
    if objects.is_empty() && tables.is_empty() && counters.is_empty() {
        return Ok(Second::Same);
    }
    let (small, large) = change::by_size(&tables, &before.digests, &after.digests);
    let mut blamed = blame::blame(session, unit, &touched, &small, &large, strict)?;
    if !counters.is_empty() {
        let at = unit.parts.iter().position(|part| word_of_counter(part.span.text(unit.text.as_str())));
        blamed.push(Blamed { part: at, changes: counters });
    }
    Ok(Second::Differs(blamed))
}

/// Runs all statements of a unit, and lets what waits for the commit have its say.
pub fn whole(trial: &mut dyn Trial, unit: &Unit) -> Result<(), EngineError> {
    for part in 0..unit.parts.len() {
        trial.run(0, part)?;
    }
    trial.settle(0)
}

/// A unit's own error knows its place; one of the transaction's end is blamed on the unit's last statement.
fn located(unit: &Unit, error: EngineError) -> EngineError {
    match error {
        EngineError::Unit(mut failure) => {
            if failure.place.is_none() {
                failure.place = unit.parts.last().map(|part| unit.text.place(part.span));
            }
            EngineError::Unit(failure)
        }
        other => other,
    }
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
    Finding {
        level,
        code,
        file: item.file.clone(),
        message: format!("{what} changes {}", summary(&blamed.changes)),
        place,
        error: None,
        changes: blamed.changes,
        hint: None,
    }
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
    let everything = Touched { definitions: false, tables: Tables::All };
    let before = State::of(&mut *stage.session.trial(&[])?, &everything)?;
    let mut again = rows.clone();
    again.entry.attempt += 1;
    let loaded = match stage.load(work.site, &again) {
        Ok(loaded) => loaded,
        Err(error) => {
            return Ok(vec![Finding::of_error(Level::Error, "seeds/fails", &item.file, "a second run fails", error)?]);
        }
    };
    let after = State::of(&mut *stage.session.trial(&[])?, &everything)?;
    let tables = before.tables(&after);
    let written = loaded.inserted + loaded.updated + loaded.deleted;
    if tables.is_empty() && written == 0 {
        return Ok(Vec::new());
    }
    let count = |state: &State, name: &Name| state.digests.get(name).map_or(0, |digest| digest.rows);
    let changes = tables.iter().map(|name| Change::Rows {
        table: name.to_string(),
        before: count(&before, name),
        after: count(&after, name),
    });
    Ok(vec![Finding {
        level: Level::Error,
        code: "seeds/writes",
        file: item.file.clone(),
        message: format!("a second run writes {written} rows of {}", rows.table),
        place: None,
        error: None,
        changes: changes.collect(),
        hint: None,
    }])
}

/// Runs a unit without a transaction in a copy, and once more. False if it does not run at all.
pub fn outside(
    work: &Work<'_>,
    copies: &mut Before<'_>,
    item: &Item,
    unit: &Unit,
    report: &mut Report,
) -> Result<bool, Error> {
    let began = Instant::now();
    let proof = proof_of(item.kind);
    let mut stage = copies.copy()?;
    if let Err(error) = stage.run(work.site, unit) {
        let finding = Finding::of_error(Level::Error, "build/fails", &item.file, "the first run fails", error)?;
        report.of(proof).fails(vec![finding]);
        return Ok(false);
    }
    let before = State::whole(&mut *stage.session.trial(&[])?)?;
    let mut again = unit.clone();
    again.entry.attempt += 1;
    let second = match stage.run(work.site, &again) {
        Err(error @ (EngineError::Unit(_) | EngineError::Refused { .. })) => Second::Failed(located(unit, error)),
        Err(error) => return Err(error.into()),
        Ok(()) => {
            let after = State::whole(&mut *stage.session.trial(&[])?)?;
            drop(stage);
            let mut changes = before.objects(&after, work.wish.strict);
            changes.extend(before.tables(&after).into_iter().map(|name| Change::Rows {
                before: before.digests.get(&name).map_or(0, |digest| digest.rows),
                after: after.digests.get(&name).map_or(0, |digest| digest.rows),
                table: name.to_string(),
            }));
            match changes.is_empty() {
                true => Second::Same,
                false => Second::Differs(blame::outside(work, copies, unit, changes)?),
            }
        }
    };
    let outcome = report.of(proof);
    outcome.fails(findings(item, second)?);
    outcome.duration += began.elapsed();
    Ok(true)
}
