//! Runs several units in one transaction: all of them, or none.

use std::time::Instant;

use super::journal::{Finished, Journal, are_finished};
use super::link::{Link, value};
use super::run::{self, Style};
use super::stop::Stop;
use super::transaction::{claim, ended, settings};
use crate::engine::{Applied, EngineError, Outcome, Result, Unit};
use crate::event::Observer;
use crate::journal::{NewEntry, Run};

/// Runs all units, or none of them: on an error the caller runs them one by one, and only that is reported.
pub(super) fn apply(
    link: &mut Link,
    journal: &Journal,
    units: &[Unit],
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<Vec<Outcome>> {
    match go(link, journal, units, run, observer) {
        Ok(Some(applied)) => Ok(applied.into_iter().map(Outcome::Applied).collect()),
        Ok(None) => Ok(units.iter().map(|_| Outcome::Taken).collect()),
        Err((index, stop)) => {
            link.undo();
            link.check_interrupt(|| "nothing of these scripts was kept".into())?;
            let Some(unit) = units.get(index) else { return Ok(Vec::new()) };
            Err(stop.into_error(unit, index, None, &link.connector.shown()))
        }
    }
}

fn go(
    link: &mut Link,
    journal: &Journal,
    units: &[Unit],
    run: &Run,
    observer: &mut dyn Observer,
) -> std::result::Result<Option<Vec<Applied>>, (usize, Stop)> {
    let entries: Vec<&NewEntry> = units.iter().map(|unit| &unit.entry).collect();
    let first = units.first().map(|unit| settings(link, unit)).unwrap_or_default();
    let Some(claimed) = claim(link, journal, (&entries, None), run, &first, observer).map_err(|stop| (0, stop))? else {
        return Ok(None);
    };
    let mut done = Vec::with_capacity(units.len());
    let mut finished: Vec<Finished> = Vec::with_capacity(units.len());
    for (index, unit) in units.iter().enumerate() {
        let begin = Instant::now();
        let at = |stop: Stop| (index, stop);
        link.check_interrupt(|| "nothing of these scripts was kept".into()).map_err(|error| at(error.into()))?;
        let mut applied = Applied::default();
        let ran = run::parts(link, unit, Style::Messages, &mut applied);
        link.tell_notices(&unit.step_name(), observer);
        ran.map_err(at)?;
        let next = units.get(index + 1).map(|next| settings(link, next)).unwrap_or_default();
        let between = format!(
            "set constraints all immediate;\n{}select pg_catalog.pg_current_xact_id()::text as transaction;\n{next}",
            link.reset_text()
        );
        let answers =
            link.send(&between).map_err(|trouble| at(Stop::of(trouble, unit, crate::sql::Span::default(), None)))?;
        let sequence = claimed.sequences.get(index).copied().unwrap_or_default();
        if value(&answers, "transaction") != Some(&claimed.transaction) {
            keep_the_journal_true(link, journal, &finished, &claimed.sequences[index..]);
            let detail = "the scripts up to it are kept; the journal has it as running";
            let failure = Box::new(ended("the script ended the tool's own transaction", detail));
            return Err(at(Stop::Failed { failure, span: unit.parts.first().map(|part| part.span) }));
        }
        applied.duration = begin.elapsed();
        let duration_ms = Some(applied.duration.as_millis());
        finished.push(Finished { sequence, state: unit.entry.state, statements: unit.parts.len(), duration_ms });
        done.push(applied);
    }
    let end = |trouble| (units.len().saturating_sub(1), Stop::own(trouble, "finishing the journal's entries", ""));
    let answers = link.send(&journal.finish(&finished, Some(&claimed.transaction))).map_err(end)?;
    let last = units.len().saturating_sub(1);
    are_finished(&answers, finished.len(), None).map_err(|stop| (last, stop))?;
    link.check_interrupt(|| "nothing of these scripts was kept".into()).map_err(|error| (last, error.into()))?;
    // A lost answer needs no question: the caller reads the journal again before it does anything else.
    link.send_own("commit").map_err(end)?;
    Ok(Some(done))
}

/// A script committed the claims of all. Those before it are done, its own stays as running, the rest never began.
fn keep_the_journal_true(link: &mut Link, journal: &Journal, finished: &[Finished], rest: &[i64]) {
    link.rollback();
    let never: Vec<String> = rest.iter().skip(1).map(i64::to_string).collect();
    let mut text = String::new();
    if !finished.is_empty() {
        text.push_str(&format!("{};\n", journal.finish(finished, None)));
    }
    if let Some(own) = rest.first() {
        text.push_str(&format!("{};\n", journal.fail(*own, "the script ended the tool's own transaction")));
    }
    if !never.is_empty() {
        text.push_str(&format!("delete from {}.journal where sequence in ({})", journal.schema, never.join(", ")));
    }
    if link.send_own(&text).is_err() {
        link.drop_connection();
    }
}

/// The refusal of units that cannot share a transaction.
pub(super) fn not_fusible() -> EngineError {
    EngineError::Refused {
        code: "engine/not-fusible",
        message: "a script that runs statement by statement cannot share a transaction".into(),
        place: None,
        hint: None,
    }
}
