//! Runs a script that is not transactional: statement by statement, with the progress in its entry, so that an
//! interrupted one goes on where it was.
//!
//! Promise: a statement that tolerates a transaction commits together with its progress and so runs exactly
//! once; any other may run twice if its builder dies between it and its progress.

use std::ops::Range;
use std::time::Instant;

use super::guard::{self, Groups};
use super::heal;
use super::journal::{DIALECT, Finished, Journal, are_finished, entry_gone};
use super::link::{Link, value};
use super::lock;
use super::progress::Progress;
use super::quote::{ident, literal};
use super::run;
use super::stop::Stop;
use super::transaction::{backoff, reason};
use crate::engine::{Applied, EngineError, Outcome, Part, Result, Unit};
use crate::event::{Event, Observer};
use crate::journal::Run;
use crate::project::LockMode;
use crate::sql::Tokens;

/// A script that is under way.
struct Running<'a> {
    unit: &'a Unit,
    journal: &'a Journal,
    sequence: i64,
    done: usize,
    groups: Groups,
    applied: Applied,
}

/// Runs a script, or what is left of it.
pub(super) fn apply(
    link: &mut Link,
    journal: &Journal,
    unit: &Unit,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<Outcome> {
    if link.connector.target.lock == LockMode::Claim {
        return Err(needs_session_lock(unit));
    }
    let begin = Instant::now();
    link.ready()?;
    link.reset();
    link.ready()?;
    let name = unit.step_name();
    let Some(mut running) = begin_or_resume(link, journal, unit, run)? else { return Ok(Outcome::Taken) };
    let resumed = running.done;
    let result = go(link, &mut running, resumed, observer);
    link.tell_notices(&name, observer);
    let done = running.done;
    match result {
        Ok(()) => {
            running.applied.duration = begin.elapsed();
            Ok(Outcome::Applied(running.applied))
        }
        Err(stop) => {
            link.rollback();
            let is_interrupted = link.interrupt.is_raised();
            note_failure(link, &running, &stop);
            link.reset();
            if is_interrupted {
                return Err(EngineError::Interrupted {
                    kept: format!("{done} of {} statements of {name} are kept", unit.parts.len()),
                });
            }
            Err(stop.into_error(unit, 0, Some(done), &link.connector.shown()))
        }
    }
}

pub(super) fn needs_session_lock(unit: &Unit) -> EngineError {
    EngineError::Refused {
        code: "engine/needs-session-lock",
        message: format!("{} runs outside a transaction, which needs the build lock of a session", unit.step_name()),
        place: None,
        hint: Some("run it over a connection to the server itself, with `lock = \"session\"` for its target".into()),
    }
}

/// Writes the entry as running, or takes over the one that an earlier run left. `None` if somebody else has it.
fn begin_or_resume<'a>(
    link: &mut Link,
    journal: &'a Journal,
    unit: &'a Unit,
    run: &Run,
) -> Result<Option<Running<'a>>> {
    let mut progress = Progress::of(unit, Groups::new());
    let mut done = 0;
    if let Some(entry) = &unit.running {
        let Some((finished, earlier)) = Progress::read(link, journal, entry)? else { return Ok(None) };
        done = earlier.finished_part(unit, finished)?;
        progress.groups = earlier.groups;
    }
    let text = progress.text()?;
    let message = match &unit.running {
        None => journal.claim([(&unit.entry, Some(text))], run),
        // The same row goes on: its text and checksums are those of the script as it is now.
        Some(entry) => format!(
            "update {}.journal set name = {}, checksum = {}, token_checksum = {}, text = {}, statements = {}, progress = {},
                    statements_done = {done}, run = {}, tool_version = {}, source_revision = {}, error = null
              where sequence = {} and state = 'running' returning sequence",
            journal.schema,
            literal(&unit.entry.name),
            literal(unit.entry.checksum.as_str()),
            literal(unit.entry.token_checksum.as_str()),
            super::quote::optional(unit.entry.text.as_deref()),
            unit.entry.statements,
            literal(&text),
            literal(&run.id),
            literal(&run.tool_version),
            super::quote::optional(run.source_revision.as_deref()),
            entry.sequence
        ),
    };
    let answers = link.own("claiming the journal's entry", &message)?;
    let sequence = value(&answers, "sequence").and_then(|text| text.parse().ok());
    Ok(sequence.map(|sequence| Running {
        unit,
        journal,
        sequence,
        done,
        groups: progress.groups,
        applied: Applied::default(),
    }))
}

fn go(
    link: &mut Link,
    running: &mut Running<'_>,
    resumed: usize,
    observer: &mut dyn Observer,
) -> std::result::Result<(), Stop> {
    let unit = running.unit;
    set_up(link, unit)?;
    replay(link, running, resumed)?;
    if (resumed > 0 || unit.running.is_some())
        && let Some(part) = unit.parts.get(resumed)
    {
        heal::before_rerun(link, unit, part)?;
    }
    let mut index = resumed;
    let mut one_by_one = 0;
    while let Some(part) = unit.parts.get(index) {
        link.check_interrupt(String::new)?;
        let run = if link.connector.pinned && index >= one_by_one { together(unit, index) } else { 1 };
        if run == 1 {
            one_alone(link, running, part, index + 1, observer)?;
        } else if !in_one_transaction(link, running, index..index + run)? {
            one_by_one = index + run;
            continue;
        }
        index += run;
        running.done = index;
        link.tell_notices(&unit.step_name(), observer);
    }
    finish(link, running)
}

/// Sets the session up for a script, and learns who the server takes it for.
fn set_up(link: &mut Link, unit: &Unit) -> std::result::Result<(), Stop> {
    let target = &link.connector.target;
    let statement_timeout = unit.statement_timeout.unwrap_or(target.statement_timeout).as_millis();
    let mut settings = format!(
        "set application_name = {};\nset lock_timeout = {};\nset statement_timeout = {statement_timeout};\n",
        literal(&lock::at_work_on(&unit.step_name())),
        run::lock_timeout(link, unit)
    );
    if let Some(role) = &target.owner_role {
        settings.push_str(&format!("set role {};\n", ident(role)));
    }
    if link.is_locked() {
        settings.push_str(&format!("{};\n", lock::assertion(&target.journal_name)));
    }
    settings.push_str("select pg_catalog.pg_backend_pid()::text as pid");
    let shown = link.connector.shown();
    let answers = link.send_own(&settings).map_err(|trouble| Stop::own(trouble, "setting up the session", &shown))?;
    if value(&answers, "locked") == Some("f") {
        return Err(lock::gone().into());
    }
    link.blockers.watch(value(&answers, "pid"));
    Ok(())
}

/// Runs a statement, unless its guard leaves it out, and writes that so many are done.
fn one_alone(
    link: &mut Link,
    running: &mut Running<'_>,
    part: &Part,
    done: usize,
    observer: &mut dyn Observer,
) -> std::result::Result<(), Stop> {
    if !lets_run(link, running, part)? {
        running.applied.skipped += 1;
        count(link, running, done)
    } else if part.repeat {
        repeat(link, running, part, done, observer)
    } else if part.refuses_transaction || part.may_commit {
        run::part(link, running.unit, part, &mut running.applied)?;
        count(link, running, done)
    } else {
        with_progress(link, running, part, done, observer)
    }
}

fn finish(link: &mut Link, running: &Running<'_>) -> std::result::Result<(), Stop> {
    let unit = running.unit;
    let row = Finished {
        sequence: running.sequence,
        state: unit.entry.state,
        statements: unit.parts.len(),
        duration_ms: None,
    };
    let finish = format!("{}{}", link.reset_text(), running.journal.finish(&[row], None));
    let shown = link.connector.shown();
    let answers =
        link.send_own(&finish).map_err(|trouble| Stop::own(trouble, "finishing the journal's entry", &shown))?;
    are_finished(&answers, 1, unit.parts.last().map(|part| part.span))
}

/// The session settings of the finished part are needed by what follows.
fn replay(link: &mut Link, running: &mut Running<'_>, resumed: usize) -> std::result::Result<(), Stop> {
    let unit = running.unit;
    for part in unit.parts.iter().take(resumed).filter(|part| part.sets_session) {
        if guard::lets_run(link, unit, part, &mut running.groups)? {
            run::part(link, unit, part, &mut Applied::default())?;
        }
    }
    Ok(())
}

/// Tests a part's guards; that a group was entered is kept, since its guard says something else half-way.
fn lets_run(link: &mut Link, running: &mut Running<'_>, part: &Part) -> std::result::Result<bool, Stop> {
    let known = running.groups.len();
    let runs = guard::lets_run(link, running.unit, part, &mut running.groups)?;
    if running.groups.len() > known {
        let text = Progress::of(running.unit, running.groups.clone()).text()?;
        let update = format!(
            "update {}.journal set progress = {} where sequence = {}",
            running.journal.schema,
            literal(&text),
            running.sequence
        );
        as_login_role(link, &update)?;
    }
    Ok(runs)
}

/// The journal is written as the login role, whatever role the script has taken on.
pub(super) const LOGIN_ROLE: &str = "set local session authorization default;\nset local role none;\n\
                          set local search_path = pg_catalog, pg_temp;\nset local lock_timeout = 0;\n\
                          set local statement_timeout = 0;\n";

/// Returns a transaction around a statement that the login role runs.
pub(super) fn in_login_role(statement: &str) -> String {
    format!("begin isolation level read committed read write;\n{LOGIN_ROLE}{statement};\ncommit")
}

fn as_login_role(link: &mut Link, statement: &str) -> std::result::Result<(), Stop> {
    let message = in_login_role(statement);
    let shown = link.connector.shown();
    link.send_own(&message).map(|_| ()).map_err(|trouble| Stop::own(trouble, "writing the journal", &shown))
}

fn count(link: &mut Link, running: &Running<'_>, done: usize) -> std::result::Result<(), Stop> {
    as_login_role(link, &running.journal.advance(running.sequence, done))
}

/// Runs a statement and commits it together with its progress.
fn with_progress(
    link: &mut Link,
    running: &mut Running<'_>,
    part: &Part,
    done: usize,
    observer: &mut dyn Observer,
) -> std::result::Result<(), Stop> {
    let advance = format!("{} returning sequence", running.journal.advance(running.sequence, done));
    patiently(link, running.unit, observer, |link| {
        let mut applied = Applied::default();
        one(link, running.unit, part, &mut applied, Some(&advance))?;
        running.applied.statements += applied.statements;
        running.applied.rows += applied.rows;
        Ok(())
    })
}

/// The most statements that share a transaction in a database that is thrown away.
const TOGETHER: usize = 500;

/// Returns how many statements from one on do the same in one transaction as in one each; at least 1. Nobody waits for
/// the locks of a database that is thrown away, and nobody goes on where its builder died.
fn together(unit: &Unit, from: usize) -> usize {
    let is_plain = |part: &&Part| {
        let words = ["insert", "update", "delete", "create", "alter", "drop", "comment", "grant", "revoke", "truncate"];
        let text = part.span.text(unit.text.as_str());
        !part.refuses_transaction
            && !part.may_commit
            && !part.sets_session
            && !run::contains(text, "set_config")
            && Tokens::new(unit.text.as_str(), part.span, DIALECT).at_any(&words)
    };
    let rest = &unit.parts[from..];
    let plain = rest.iter().take(TOGETHER).take_while(is_plain).count();
    run::together(unit, &rest[..plain.max(1)])
}

/// Runs statements and commits them together with their progress. False if that fails: one by one they may run, or it is
/// known which one fails.
fn in_one_transaction(
    link: &mut Link,
    running: &mut Running<'_>,
    parts: Range<usize>,
) -> std::result::Result<bool, Stop> {
    let advance = format!("{} returning sequence", running.journal.advance(running.sequence, parts.end));
    // What waits for the commit has its say behind each statement, as it has where each is committed.
    let begin = "begin isolation level read committed read write; set constraints all immediate";
    let mut applied = Applied::default();
    let ran = link.send_own(begin).is_ok()
        && run::message(link, running.unit, &running.unit.parts[parts], &mut applied).is_ok()
        && link.send(&format!("{LOGIN_ROLE}{advance}")).is_ok_and(|answers| value(&answers, "sequence").is_some())
        && link.send_own("commit").is_ok();
    if !ran {
        link.rollback();
        if link.is_open() {
            return Ok(false);
        }
        // Another connection would not know what the script has set.
        return Err(Stop::Broken("it was lost in the middle of a script".into()));
    }
    running.applied.statements += applied.statements;
    running.applied.rows += applied.rows;
    Ok(true)
}

/// Runs a batch until it changes no row: one commit a pass.
fn repeat(
    link: &mut Link,
    running: &mut Running<'_>,
    part: &Part,
    done: usize,
    observer: &mut dyn Observer,
) -> std::result::Result<(), Stop> {
    let mut total = 0;
    running.applied.statements += 1;
    for pass in 1_u64.. {
        link.check_interrupt(String::new)?;
        let rows = patiently(link, running.unit, observer, |link| {
            one(link, running.unit, part, &mut Applied::default(), None)
        })?;
        total += rows;
        running.applied.passes += 1;
        running.applied.rows += rows;
        if rows == 0 {
            break;
        }
        observer.event(running.unit.pass(pass, total));
    }
    count(link, running, done)
}

/// Runs a statement in a transaction of its own, together with what is written behind it.
fn one(
    link: &mut Link,
    unit: &Unit,
    part: &Part,
    applied: &mut Applied,
    then: Option<&str>,
) -> std::result::Result<u64, Stop> {
    let shown = link.connector.shown();
    let own = |trouble| Stop::own(trouble, "committing a statement", &shown);
    link.send_own("begin isolation level read committed read write").map_err(own)?;
    let rows = run::part(link, unit, part, applied)?;
    if let Some(then) = then {
        let message = format!("set constraints all immediate;\n{LOGIN_ROLE}{then}");
        let answers = link.send(&message).map_err(|trouble| Stop::at_the_end(trouble, Some(part.span), &shown))?;
        if value(&answers, "sequence").is_none() {
            return Err(entry_gone(Some(part.span)));
        }
    }
    link.send_own("commit").map_err(|trouble| Stop::of(trouble, unit, crate::sql::Span::default(), Some(part.span)))?;
    Ok(rows)
}

/// Tries again what was rolled back by a lock timeout, a deadlock or a serialization failure.
fn patiently<T>(
    link: &mut Link,
    unit: &Unit,
    observer: &mut dyn Observer,
    mut work: impl FnMut(&mut Link) -> std::result::Result<T, Stop>,
) -> std::result::Result<T, Stop> {
    let mut attempt = 1;
    loop {
        match work(link).map_err(|stop| stop.blocked_by(link.blockers.seen())) {
            Err(stop)
                if stop.is_worth_another_try()
                    && attempt <= link.connector.target.retries
                    && !link.interrupt.is_raised() =>
            {
                link.rollback();
                attempt += 1;
                observer.event(Event::Retrying { name: unit.step_name(), reason: reason(&stop), attempt });
                link.pause(backoff(attempt));
            }
            result => return result,
        }
    }
}

/// Keeps the reason in the entry, for whoever looks before the script is run again.
fn note_failure(link: &mut Link, running: &Running<'_>, stop: &Stop) {
    let message = match stop {
        Stop::Failed { failure, .. } => failure.message.clone(),
        Stop::Engine(error) => error.to_string(),
        // Without a connection there is nobody to tell.
        Stop::Broken(_) => return,
    };
    if link.is_open() && as_login_role(link, &running.journal.fail(running.sequence, &message)).is_err() {
        link.drop_connection();
    }
}
