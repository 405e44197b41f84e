//! CSV seeds: a table's rows brought to the state of a file, in one transaction with the entry.
//!
//! The file is streamed, into the table itself if that is empty, else into a temporary table of texts; everything
//! else is a few statements over sets of rows, so memory does not grow with the file. Dates, times and zones are read by fixed settings: the same file makes
//! the same rows everywhere.

use std::time::Instant;

use super::error::Trouble;
use super::journal::{Finished, Journal};
use super::link::{Link, value};
use super::quote::ident;
use super::stop::Stop;
use super::transaction::{backoff, claim, is_committed, reason};
use crate::engine::{EngineError, Loaded, Result, RowSeed, UnitFailure};
use crate::event::{Event, Observer};
use crate::journal::{NewEntry, Run};

mod digests;
mod fill;
mod stage;
mod table;
mod trade;
mod write;

/// Loads one seed; `None` if another builder has claimed it.
pub(super) fn load(
    link: &mut Link,
    journal: &Journal,
    seed: &RowSeed,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<Option<Loaded>> {
    let name = &seed.entry.name;
    let mut attempt = 1;
    loop {
        link.check_interrupt(|| format!("nothing of {name} was begun"))?;
        let begin = Instant::now();
        let stop = match go(link, journal, seed, run, observer) {
            Ok(Some(mut loaded)) => match link.send_own("commit") {
                Ok(_) => {
                    loaded.duration = begin.elapsed();
                    return Ok(Some(loaded));
                }
                Err(Trouble::Broken(_)) => match is_committed(link, journal, &seed.entry, run)? {
                    true => return Ok(Some(loaded)),
                    false => continue,
                },
                Err(trouble) => Stop::own(trouble, "committing a seed", ""),
            },
            Ok(None) => return Ok(None),
            Err(stop) => stop,
        };
        link.undo();
        link.check_interrupt(|| format!("nothing of {name} was kept"))?;
        if !stop.is_worth_another_try() || attempt > link.connector.target.retries {
            return Err(error(link, seed, stop));
        }
        attempt += 1;
        observer.event(Event::Retrying { name: name.clone(), reason: reason(&stop), attempt });
        link.pause(backoff(attempt));
    }
}

/// A failure of the seed as a whole; one that is known to be a row's has its place already.
fn error(link: &Link, seed: &RowSeed, stop: Stop) -> EngineError {
    match stop {
        Stop::Failed { failure, .. } => {
            let place = Some(table::head(seed));
            EngineError::Unit(Box::new(UnitFailure { unit: 0, failure: *failure, place, kept: None }))
        }
        Stop::Broken(message) => link.lost(message),
        Stop::Engine(error) => error,
    }
}

fn go(
    link: &mut Link,
    journal: &Journal,
    seed: &RowSeed,
    run: &Run,
    observer: &mut dyn Observer,
) -> std::result::Result<Option<Loaded>, Stop> {
    let target = link.connector.target.clone();
    let settings = format!(
        "set local lock_timeout = {};\nset local statement_timeout = {};\nset local datestyle = 'ISO, YMD';\n\
         set local intervalstyle = 'postgres';\nset local timezone = 'UTC';\nset constraints all deferred",
        target.lock_timeout.as_millis(),
        target.statement_timeout.as_millis()
    );
    let Some(claimed) = claim(link, journal, (&[&seed.entry], None), run, &settings, observer)? else {
        return Ok(None);
    };
    let table = stage::table_of(link, seed)?;
    let loaded = write::write(link, journal, seed, &table, target.owner_role.as_deref(), observer)?;
    // What rows refer to must be there by now.
    send(link, &format!("{}set constraints all immediate", as_role(target.owner_role.as_deref())))?;
    let sequence = claimed.sequences.first().copied().unwrap_or_default();
    let row = Finished { sequence, state: seed.entry.state, statements: 0, duration_ms: None };
    let finish = format!(
        "{}{};\nselect pg_catalog.pg_current_xact_id()::text as transaction",
        link.reset_text(),
        journal.finish(&[row], Some(&claimed.transaction))
    );
    let answers = send(link, &finish)?;
    if value(&answers, "transaction") != Some(&claimed.transaction) {
        return Err(Stop::Broken("the transaction of the seed is gone".into()));
    }
    link.take_notices();
    Ok(Some(loaded))
}

/// Returns the statement that takes on a role for the table's own rows; the journal is the login role's.
fn as_role(role: Option<&str>) -> String {
    role.map_or_else(|| "set local role none;\n".to_owned(), |role| format!("set local role {};\n", ident(role)))
}

fn send(link: &mut Link, text: &str) -> std::result::Result<Vec<postgres::SimpleQueryMessage>, Stop> {
    link.send(text).map_err(stopped)
}

fn stopped(trouble: Trouble) -> Stop {
    match trouble {
        Trouble::Answer(failure, _) => Stop::Failed { failure, span: None },
        Trouble::Broken(message) => Stop::Broken(message),
    }
}

/// Writes entries, and the digests of the rows of files whose tables are as those files say.
pub(super) fn digests_of(
    link: &mut Link,
    journal: &Journal,
    entries: &[NewEntry],
    tracked: &[RowSeed],
    run: &Run,
) -> Result<()> {
    let message = format!("{}{}", link.begin_text(), journal.record(entries, run));
    link.own("writing the journal", &message)?;
    track_all(link, journal, tracked)?;
    link.inside("writing the journal", "commit").map(|_| ())
}

/// Writes the digests of files whose tables are as they say. Inside a transaction.
pub(super) fn track_all(link: &mut Link, journal: &Journal, tracked: &[RowSeed]) -> Result<()> {
    tracked.iter().try_for_each(|seed| track(link, journal, seed).map_err(|stop| error(link, seed, stop)))
}

/// Writes the digests of one file without touching its table. Inside a transaction.
fn track(link: &mut Link, journal: &Journal, seed: &RowSeed) -> std::result::Result<(), Stop> {
    let table = stage::table_of(link, seed)?;
    stage::stage(link, seed, &table, None, &mut crate::event::Silent)?;
    let text =
        format!("{}{}drop table pg_temp.dbbuild_seed", write::forget(journal, seed), write::remember(journal, seed));
    send(link, &text).map(|_| ())
}
