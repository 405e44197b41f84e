//! Runs units in a transaction together with their entries: claim, script, finish, COMMIT, as separate
//! messages, so that a client that dies in between can never commit.

use std::time::{Duration, Instant};

use super::error::Trouble;
use super::journal::{Finished, Journal, are_finished};
use super::link::{Link, column, rows, value};
use super::lock;
use super::quote::{ident, literal};
use super::run::{self, Style};
use super::settings::set;
use super::stop::Stop;
use crate::engine::{Applied, EngineError, Outcome, Result, SqlFailure, Unit};
use crate::event::{Event, Observer};
use crate::journal::{NewEntry, Run, Stored};
use crate::project::LockMode;
use crate::sql::Isolation;

/// A claim that holds: the transaction, and each entry's number.
pub(super) struct Claimed {
    pub(super) transaction: String,
    pub(super) sequences: Vec<i64>,
}

/// What one go at a unit came to.
pub(super) enum Tried {
    Applied(Applied),
    Taken,
    /// The answer to COMMIT was lost.
    Unknown(Applied),
}

/// Runs one unit in a transaction of its own; again and again after lock timeouts, deadlocks and
/// serialization failures, as often as the target allows.
pub(super) fn apply(
    link: &mut Link,
    journal: &Journal,
    unit: &Unit,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<Outcome> {
    let mut style = run::style(unit);
    let mut attempt = 1;
    loop {
        link.check_interrupt(|| format!("nothing of {} was begun", unit.step_name()))?;
        let parts = |link: &mut Link, applied: &mut Applied| run::parts(link, unit, style, applied);
        let stop = match go(link, journal, unit, run, parts, observer) {
            Ok(Tried::Applied(applied)) => return Ok(Outcome::Applied(applied)),
            Ok(Tried::Taken) => return Ok(Outcome::Taken),
            Ok(Tried::Unknown(applied)) => match is_committed(link, journal, &unit.entry, run)? {
                true => return Ok(Outcome::Applied(applied)),
                false => continue,
            },
            Err(stop) => stop,
        };
        link.undo();
        if link.interrupt.is_raised() {
            return Err(EngineError::Interrupted { kept: format!("nothing of {} was kept", unit.step_name()) });
        }
        match &stop {
            stop if stop.is_worth_another_try() && attempt <= link.connector.target.retries => {
                attempt += 1;
                let reason = reason(stop);
                observer.event(Event::Retrying { name: unit.step_name(), reason, attempt });
                link.pause(backoff(attempt));
            }
            // Which statement it was is not known; one by one it will be.
            Stop::Failed { span: None, .. } if style == Style::Messages => style = Style::Statements,
            _ => return Err(stop.into_error(unit, 0, None, &link.connector.shown())),
        }
    }
}

/// Returns how long to wait before the next try: more each time, and never as long as somebody else.
pub(super) fn backoff(attempt: u32) -> Duration {
    let most = 100_u64.saturating_mul(1 << attempt.min(6));
    Duration::from_millis(fastrand::u64(most / 2..=most))
}

/// Says why a unit is tried again.
pub(super) fn reason(stop: &Stop) -> String {
    match stop.code() {
        "55P03" => match stop.blockers() {
            Some(blockers) => format!("somebody else holds a lock ({blockers})"),
            None => "somebody else holds a lock".into(),
        },
        "40P01" => "a deadlock".into(),
        _ => "a serialization failure".into(),
    }
}

/// Claims a unit's entry, lets `work` run its statements, finishes the entry, and commits.
pub(super) fn go(
    link: &mut Link,
    journal: &Journal,
    unit: &Unit,
    run: &Run,
    work: impl FnOnce(&mut Link, &mut Applied) -> std::result::Result<(), Stop>,
    observer: &mut dyn Observer,
) -> std::result::Result<Tried, Stop> {
    let begin = Instant::now();
    let Some(claimed) = claim(link, journal, (&[&unit.entry], unit.isolation), run, &settings(link, unit), observer)?
    else {
        return Ok(Tried::Taken);
    };
    let mut applied = Applied::default();
    let ran = work(link, &mut applied);
    link.tell_notices(&unit.step_name(), observer);
    ran.map_err(|stop| stop.blocked_by(link.blockers.seen()))?;
    let sequence = claimed.sequences.first().copied().unwrap_or_default();
    let row = Finished { sequence, state: unit.entry.state, statements: unit.parts.len(), duration_ms: None };
    let finish = format!(
        "set constraints all immediate;\n{}{};\nselect pg_catalog.pg_current_xact_id()::text as transaction",
        link.reset_text(),
        journal.finish(&[row], Some(&claimed.transaction))
    );
    let last = unit.parts.last().map(|part| part.span);
    let shown = link.connector.shown();
    let answers = link.send(&finish).map_err(|trouble| Stop::at_the_end(trouble, last, &shown))?;
    if value(&answers, "transaction") != Some(&claimed.transaction) {
        return Err(own_commit(link, journal, unit, sequence));
    }
    are_finished(&answers, 1, last)?;
    link.check_interrupt(|| format!("nothing of {} was kept", unit.step_name()))?;
    applied.duration = begin.elapsed();
    match link.send_own("commit") {
        Ok(_) => {
            applied.duration = begin.elapsed();
            Ok(Tried::Applied(applied))
        }
        Err(Trouble::Broken(_)) => Ok(Tried::Unknown(applied)),
        Err(trouble) => Err(Stop::of(trouble, unit, crate::sql::Span::default(), last)),
    }
}

/// Returns what is set for the rest of the transaction before a unit runs.
pub(super) fn settings(link: &Link, unit: &Unit) -> String {
    let target = &link.connector.target;
    let statement_timeout = unit.statement_timeout.unwrap_or(target.statement_timeout).as_millis();
    let mut text = format!(
        "set local application_name = {};\nset local lock_timeout = {};\n\
         set local statement_timeout = {statement_timeout};\n",
        literal(&lock::at_work_on(&unit.step_name())),
        run::lock_timeout(link, unit)
    );
    if let Some(role) = &target.owner_role {
        text.push_str(&format!("set local role {};\n", ident(role)));
    }
    text
}

/// Begins a transaction and claims entries; `None` if somebody else has one of them. Waits for a builder that
/// claims the same entries as long as a build may wait for another.
pub(super) fn claim(
    link: &mut Link,
    journal: &Journal,
    (entries, isolation): (&[&NewEntry], Option<Isolation>),
    run: &Run,
    then: &str,
    observer: &mut dyn Observer,
) -> std::result::Result<Option<Claimed>, Stop> {
    let target = link.connector.target.clone();
    let begin = Instant::now();
    loop {
        link.ready()?;
        link.check_interrupt(|| "nothing was begun".into())?;
        let mut message = link.begin_text().to_owned();
        if let Some(isolation) = isolation {
            message.push_str(&format!("set transaction isolation level {};\n", isolation.as_str()));
        }
        if target.lock == LockMode::Claim {
            // Behind a transaction pooler a session's settings are somebody else's a moment later.
            message.extend(
                link.connector
                    .settings()
                    .iter()
                    .map(|(name, value)| set(name, value).replacen("set ", "set local ", 1)),
            );
        }
        message.push_str("set local lock_timeout = '1s';\nset local statement_timeout = 0;\n");
        if link.is_locked() {
            message.push_str(&format!("{};\n", lock::assertion(&target.journal_name)));
        }
        message.push_str(&journal.claim(entries.iter().map(|entry| (*entry, None)), run));
        message.push_str(&format!(
            ";\nselect pg_catalog.pg_current_xact_id()::text as transaction,
            pg_catalog.pg_backend_pid()::text as pid;\n{then}"
        ));
        let answers = match link.send_own(&message) {
            Ok(answers) => answers,
            Err(trouble) if trouble.code() == "55P03" => {
                link.rollback();
                let waited = begin.elapsed();
                let holder = "another build, which is at the same script".to_owned();
                if target.lock_wait.is_some_and(|limit| waited >= limit) {
                    return Err(EngineError::Locked { holder, waited }.into());
                }
                observer.event(Event::Waiting { holder, seconds: waited.as_secs() });
                continue;
            }
            // In one snapshot an entry that came meanwhile cannot be seen; it is somebody's all the same.
            Err(trouble) if trouble.code() == "40001" => {
                link.rollback();
                return Ok(None);
            }
            Err(trouble) => return Err(Stop::own(trouble, "claiming the journal's entry", &link.connector.shown())),
        };
        if value(&answers, "locked") == Some("f") {
            link.rollback();
            return Err(lock::gone().into());
        }
        let sequences: Vec<i64> = entries.iter().filter_map(|entry| sequence_of(&answers, entry)).collect();
        let transaction = value(&answers, "transaction").unwrap_or_default().to_owned();
        if sequences.len() < entries.len() {
            link.rollback();
            return Ok(None);
        }
        link.blockers.watch(value(&answers, "pid"));
        return Ok(Some(Claimed { transaction, sequences }));
    }
}

fn sequence_of(answers: &[postgres::SimpleQueryMessage], entry: &NewEntry) -> Option<i64> {
    let attempt = entry.attempt.to_string();
    let is_its = |row: &&postgres::SimpleQueryRow| {
        column(row, "key") == Some(&entry.key)
            && column(row, "kind") == Some(entry.kind.as_str())
            && column(row, "attempt") == Some(&attempt)
    };
    rows(answers).find(is_its).and_then(|row| column(row, "sequence")).and_then(|text| text.parse().ok())
}

/// A script ended the tool's transaction. What it committed stays, and the journal must say so.
fn own_commit(link: &mut Link, journal: &Journal, unit: &Unit, sequence: i64) -> Stop {
    link.rollback();
    let message = "the script ended the tool's own transaction";
    let noted = link.send_own(&format!("{} returning sequence", journal.fail(sequence, message)));
    let is_kept = noted.is_ok_and(|answers| value(&answers, "sequence").is_some());
    let detail = if is_kept {
        "what it committed is kept, and the journal has it as running"
    } else {
        "its transaction was rolled back; what ran after that may be kept"
    };
    Stop::Failed { failure: Box::new(ended(message, detail)), span: unit.parts.first().map(|part| part.span) }
}

pub(super) fn ended(message: &str, detail: &str) -> SqlFailure {
    SqlFailure {
        code: "25000".into(),
        message: message.into(),
        detail: Some(detail.into()),
        hint: Some(
            "take COMMIT and ROLLBACK out of the script, or put `-- dbbuild: no-transaction` at its head".into(),
        ),
        context: None,
        position: None,
    }
}

/// Finds out whether a COMMIT whose answer was lost took place: connects again, takes the lock again (which
/// waits for the old backend), and tries to claim: that waits for the old transaction, too.
pub(super) fn is_committed(link: &mut Link, journal: &Journal, entry: &NewEntry, run: &Run) -> Result<bool> {
    link.ready()?;
    let message = format!(
        "begin isolation level read committed read write;\nset local lock_timeout = 0;\n{};\n\
         select run, state from {}.journal where project = {} and kind = {} and key = {} and attempt = {}",
        journal.claim([(entry, None)], run),
        journal.schema,
        literal(&entry.project),
        literal(entry.kind.as_str()),
        literal(&entry.key),
        entry.attempt
    );
    let answers = link.own("asking whether the commit took place", &message);
    link.rollback();
    let answers = answers?;
    let is_free = value(&answers, "sequence").is_some();
    let state = value(&answers, "state").and_then(Stored::parse);
    Ok(!is_free && value(&answers, "run") == Some(&run.id) && state == Some(entry.state))
}
