//! Runs units in one transaction that is kept only if what they made is wanted.

use std::time::Instant;

use super::contents;
use super::journal::{Finished, Journal, are_finished};
use super::link::{Link, value};
use super::run::{self, Style};
use super::stop::Stop;
use super::transaction::{claim, ended, settings};
use crate::engine::contents::Contents;
use crate::engine::{Applied, EngineError, Result, Unit};
use crate::event::Observer;
use crate::journal::{NewEntry, Run};
use crate::sql::Span;

/// What is looked at before, and what is asked afterwards with what was seen then.
pub(super) struct Asked<'a> {
    pub look: &'a dyn Fn(&mut Link) -> Result<Contents>,
    pub judge: &'a mut dyn FnMut(&mut Link, &Contents) -> Result<bool>,
}

/// Runs all units; commits if the judge says so, and leaves nothing behind if not.
pub(super) fn attempt(
    link: &mut Link,
    journal: &Journal,
    units: &[Unit],
    run: &Run,
    asked: &mut Asked<'_>,
    observer: &mut dyn Observer,
) -> Result<Option<Vec<Applied>>> {
    let mut before = None;
    let went = go(link, journal, units, run, asked, &mut before, observer);
    if !matches!(went, Ok(Some(_))) {
        link.undo();
        if let Some(before) = before.filter(|_| link.is_open()) {
            contents::put_counters_back(link, journal, &before)?;
        }
    }
    match went {
        Ok(applied) => Ok(applied),
        Err((index, stop)) => {
            link.check_interrupt(|| "nothing of these scripts was kept".into())?;
            let Some(unit) = units.get(index) else { return Ok(None) };
            Err(stop.into_error(unit, index, None, &link.connector.shown()))
        }
    }
}

fn go(
    link: &mut Link,
    journal: &Journal,
    units: &[Unit],
    run: &Run,
    asked: &mut Asked<'_>,
    seen: &mut Option<Contents>,
    observer: &mut dyn Observer,
) -> std::result::Result<Option<Vec<Applied>>, (usize, Stop)> {
    let entries: Vec<&NewEntry> = units.iter().map(|unit| &unit.entry).collect();
    let first = units.first().map(|unit| settings(link, unit)).unwrap_or_default();
    let Some(claimed) = claim(link, journal, (&entries, None), run, &first, observer).map_err(|stop| (0, stop))? else {
        return Ok(None);
    };
    let before = seen.insert((asked.look)(link).map_err(|error| (0, error.into()))?);
    let (mut done, mut finished) = (Vec::new(), Vec::new());
    for (index, (unit, sequence)) in units.iter().zip(&claimed.sequences).enumerate() {
        let begin = Instant::now();
        let mut applied = Applied::default();
        let ran = run::parts(link, unit, Style::Statements, &mut applied);
        link.take_notices();
        ran.map_err(|stop| (index, stop))?;
        let next = units.get(index + 1).map(|next| settings(link, next)).unwrap_or_default();
        let between = format!(
            "set constraints all immediate;\n{}select pg_catalog.pg_current_xact_id()::text as transaction;\n{next}",
            link.reset_text()
        );
        let answers = link.send(&between).map_err(|trouble| (index, Stop::of(trouble, unit, Span::default(), None)))?;
        if value(&answers, "transaction") != Some(&claimed.transaction) {
            let failure = Box::new(ended("the script ended the tool's own transaction", &unit.step_name()));
            return Err((index, Stop::Failed { failure, span: unit.parts.first().map(|part| part.span) }));
        }
        applied.duration = begin.elapsed();
        let duration_ms = Some(applied.duration.as_millis());
        finished.push(Finished {
            sequence: *sequence,
            state: unit.entry.state,
            statements: unit.parts.len(),
            duration_ms,
        });
        done.push(applied);
    }
    let last = units.len().saturating_sub(1);
    let own = |trouble| (last, Stop::own(trouble, "finishing the journal's entries", ""));
    if !(asked.judge)(link, before).map_err(|error: EngineError| (last, error.into()))? {
        return Ok(None);
    }
    let answers = link.send(&journal.finish(&finished, Some(&claimed.transaction))).map_err(own)?;
    are_finished(&answers, finished.len(), None).map_err(|stop| (last, stop))?;
    link.check_interrupt(|| "nothing of these scripts was kept".into()).map_err(|error| (last, error.into()))?;
    link.send_own("commit").map_err(own)?;
    Ok(Some(done))
}
