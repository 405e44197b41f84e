//! Running units: transactional ones with their entries in one transaction, all or none.

use std::time::Instant;

use rusqlite::Connection;

use super::database::Database;
use super::error::{doing, interrupted};
use super::foreign_keys::{Orphans, orphans, turn, worse};
use super::guard::{Answers, refuse_unanswerable};
use super::hint::hint;
use super::run::{failed, refused, statement};
use super::{journal, statements, transaction};
use crate::engine::{Applied, EngineError, Mode, Outcome, Result, SqlFailure, Unit};
use crate::event::Observer;
use crate::journal::Run;
use crate::sql::Span;

/// Runs units and writes their entries.
pub(super) fn apply(
    connection: &Connection,
    database: &Database,
    units: &[Unit],
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<Vec<Outcome>> {
    refuse_unanswerable(units)?;
    if units.iter().any(|unit| unit.mode == Mode::Statements) {
        return match units {
            [_] => statements::run(connection, database, units, run, observer).map(|outcome| vec![outcome]),
            _ => Err(EngineError::Refused {
                code: "apply/together",
                message: "a script without a transaction cannot share one with others".to_owned(),
                place: None,
                hint: None,
            }),
        };
    }
    let name = units.first().map_or("", |unit| unit.entry.name.as_str());
    transaction::retrying(database, name, observer, |_| together(connection, database, units, run))
}

/// Runs units in one transaction, and commits only if what they made is wanted, which is asked with what `look` saw
/// before.
pub(super) fn attempt<T>(
    connection: &Connection,
    database: &Database,
    units: &[Unit],
    run: &Run,
    look: &dyn Fn(&Connection) -> Result<T>,
    keep: &mut dyn FnMut(&Connection, &T) -> Result<bool>,
) -> Result<Option<Vec<Applied>>> {
    refuse_unanswerable(units)?;
    let off = units.iter().any(|unit| unit.mode == Mode::ForeignKeysOff);
    if off {
        turn(connection, false)?;
    }
    let result = attempted(connection, database, units, run, off, look, keep);
    if off {
        turn(connection, true)?;
    }
    result
}

fn attempted<T>(
    connection: &Connection,
    database: &Database,
    units: &[Unit],
    run: &Run,
    check_keys: bool,
    look: &dyn Fn(&Connection) -> Result<T>,
    keep: &mut dyn FnMut(&Connection, &T) -> Result<bool>,
) -> Result<Option<Vec<Applied>>> {
    transaction::begin(connection, database)?;
    let mut work = || {
        let before = check_keys.then(|| orphans(connection).ok()).flatten();
        let seen = look(connection)?;
        let Some(done) = all(connection, database, units, run)? else { return Ok(None) };
        if let Some(before) = before {
            check(connection, units, &before)?;
        }
        Ok(keep(connection, &seen)?.then_some(done))
    };
    match work() {
        Ok(Some(done)) => {
            transaction::commit(connection, database).map_err(|error| at_commit(units, error))?;
            Ok(Some(done))
        }
        Ok(None) => {
            connection.execute_batch("rollback").map_err(doing("rolling back"))?;
            Ok(None)
        }
        Err(error) => Err(transaction::rolled_back(connection, error)),
    }
}

/// One transaction around all units; with foreign keys off around it if one of them asks for that.
fn together(connection: &Connection, database: &Database, units: &[Unit], run: &Run) -> Result<Vec<Outcome>> {
    if !units.iter().any(|unit| unit.mode == Mode::ForeignKeysOff) {
        return in_transaction(connection, database, units, run, false);
    }
    turn(connection, false)?;
    let result = in_transaction(connection, database, units, run, true);
    let on = turn(connection, true);
    result.and_then(|outcomes| on.map(|()| outcomes))
}

fn in_transaction(
    connection: &Connection,
    database: &Database,
    units: &[Unit],
    run: &Run,
    check_keys: bool,
) -> Result<Vec<Outcome>> {
    transaction::begin(connection, database)?;
    let work = || {
        // A key that cannot be checked before (a mismatch) must not be judged afterwards either.
        let before = check_keys.then(|| orphans(connection).ok()).flatten();
        let Some(done) = all(connection, database, units, run)? else { return Ok(None) };
        if let Some(before) = before {
            check(connection, units, &before)?;
        }
        Ok(Some(done))
    };
    match work() {
        Ok(Some(done)) => {
            let committed = transaction::commit(connection, database);
            committed.map_err(|error| at_commit(units, error))?;
            Ok(done.into_iter().map(Outcome::Applied).collect())
        }
        Ok(None) => {
            connection.execute_batch("rollback").map_err(doing("rolling back"))?;
            Ok(vec![Outcome::Taken; units.len()])
        }
        Err(error) => Err(transaction::rolled_back(connection, error)),
    }
}

/// Runs units inside the transaction; `None` if another builder has claimed one of them. What the journal needs is
/// written before the first and after the last: a statement is read anew whenever another has changed the schema.
fn all(connection: &Connection, database: &Database, units: &[Unit], run: &Run) -> Result<Option<Vec<Applied>>> {
    let mut claims = Vec::with_capacity(units.len());
    for unit in units {
        match journal::claim(connection, database, &unit.entry, run)? {
            Some(sequence) => claims.push(sequence),
            None => return Ok(None),
        }
    }
    let mut done: Vec<Applied> = Vec::with_capacity(units.len());
    for (at, sequence) in claims.iter().enumerate() {
        match parts(connection, database, units, at, Some(*sequence)) {
            Ok(applied) => done.push(applied),
            Err(error) => {
                if connection.is_autocommit() {
                    keep_the_journal_true(connection, database, units, &claims, &done)?;
                }
                return Err(error);
            }
        }
    }
    for (at, (sequence, applied)) in claims.iter().zip(&done).enumerate() {
        if !journal::finish(connection, database, *sequence, &units[at].entry, applied.duration)? {
            return Err(entry_gone(units, at, last_statement(&units[at])));
        }
    }
    Ok(Some(done))
}

/// The transaction of all has ended. If a text's own COMMIT did that, the units before it are kept and get their
/// entries; those behind it never began. After a rollback there is nothing to do.
fn keep_the_journal_true(
    connection: &Connection,
    database: &Database,
    units: &[Unit],
    claims: &[i64],
    done: &[Applied],
) -> Result<()> {
    if journal::format(connection, &database.names)?.is_none() {
        return Ok(());
    }
    for (unit, (sequence, applied)) in units.iter().zip(claims.iter().zip(done)) {
        journal::finish(connection, database, *sequence, &unit.entry, applied.duration)?;
    }
    claims[done.len()..].iter().try_for_each(|sequence| journal::give_back(connection, database, *sequence).map(drop))
}

/// Runs one unit inside the transaction; `None` if another builder has claimed it.
pub(super) fn one(
    connection: &Connection,
    database: &Database,
    units: &[Unit],
    at: usize,
    run: &Run,
) -> Result<Option<Applied>> {
    let unit = &units[at];
    let Some(sequence) = journal::claim(connection, database, &unit.entry, run)? else { return Ok(None) };
    let applied = parts(connection, database, units, at, Some(sequence))?;
    match journal::finish(connection, database, sequence, &unit.entry, applied.duration)? {
        true => Ok(Some(applied)),
        false => Err(entry_gone(units, at, last_statement(unit))),
    }
}

/// Runs the statements of a unit inside the transaction. `sequence` is its claim's.
pub(super) fn parts(
    connection: &Connection,
    database: &Database,
    units: &[Unit],
    at: usize,
    sequence: Option<i64>,
) -> Result<Applied> {
    let since = Instant::now();
    let unit = &units[at];
    let mut answers = Answers::default();
    let mut applied = Applied::default();
    for (index, part) in unit.parts.iter().enumerate() {
        if database.interrupt.is_raised() {
            return Err(interrupted());
        }
        if !answers.let_run(connection, units, at, index)? {
            applied.skipped += 1;
            continue;
        }
        loop {
            let rows = statement(connection, database, units, at, part)?;
            if connection.is_autocommit() {
                return Err(ended(connection, database, units, at, part.span, sequence.unwrap_or_default()));
            }
            applied.rows += rows;
            if !part.repeat {
                break;
            }
            applied.passes += 1;
            if rows == 0 {
                break;
            }
        }
        applied.statements += 1;
    }
    applied.duration = since.elapsed();
    Ok(applied)
}

/// The failure of a text whose own entry is not in the journal any more.
pub(super) fn entry_gone(units: &[Unit], at: usize, span: Span) -> EngineError {
    let message = "the text itself took its entry out of the journal".to_owned();
    refused(units, at, span, "SQLITE_MISUSE", message, Some("leave dbbuild's own tables to dbbuild"))
}

/// A statement ended the transaction that it ran in. What is true now depends on how: a COMMIT has kept the claim
/// and everything before it, a ROLLBACK has undone both.
fn ended(
    connection: &Connection,
    database: &Database,
    units: &[Unit],
    at: usize,
    span: Span,
    sequence: i64,
) -> EngineError {
    let is_kept = match journal::give_back(connection, database, sequence) {
        Ok(is_kept) => is_kept,
        Err(error) => return error,
    };
    let message = match is_kept {
        false => "this statement rolled back the transaction that the text ran in; nothing was kept",
        true => {
            "this statement committed the transaction that the text ran in; what stands before it was kept, without an entry in the journal"
        }
    };
    let hint = "take COMMIT, END and ROLLBACK out: the tool begins and ends the transaction; \
                or write `-- dbbuild: no-transaction` at the head";
    refused(units, at, span, "SQLITE_MISUSE", message.to_owned(), Some(hint))
}

/// Refuses if rows lost their parents while foreign keys were off.
pub(super) fn check(connection: &Connection, units: &[Unit], before: &Orphans) -> Result<()> {
    let at = units.iter().rposition(|unit| unit.mode == Mode::ForeignKeysOff).unwrap_or_default();
    let span = last_statement(&units[at]);
    let after = orphans(connection).map_err(|error| failed(units, at, span, &error))?;
    match worse(before, &after) {
        None => Ok(()),
        Some(orphan) => {
            let message = format!("foreign keys are violated that were not before: {orphan}");
            Err(refused(units, at, span, "SQLITE_CONSTRAINT_FOREIGNKEY", message, None))
        }
    }
}

/// The error of units whose commit would leave a row without its parent.
pub(super) fn at_commit_of(units: &[Unit], orphan: &str) -> EngineError {
    let at = units.len().saturating_sub(1);
    let message = format!("FOREIGN KEY constraint failed at the commit: {orphan}");
    refused(units, at, last_statement(&units[at]), "SQLITE_CONSTRAINT_FOREIGNKEY", message, None)
}

/// A deferred foreign key fails at the commit: that is a failure of the text, not of the tool.
fn at_commit(units: &[Unit], error: EngineError) -> EngineError {
    match error {
        EngineError::Sql { failure, .. } if failure.code.starts_with("SQLITE_CONSTRAINT") && !units.is_empty() => {
            let at = units.len() - 1;
            let failure = SqlFailure { hint: hint(&units[at], &failure, false), ..*failure };
            super::run::of_unit(units, at, last_statement(&units[at]), failure)
        }
        // A full disk, another writer: not the text's fault, but whoever reads it wants to know where it stands.
        EngineError::Sql { doing, failure } => match units {
            [first, .., last] => {
                let files = format!("{doing} {} to {}", first.text.file(), last.text.file());
                EngineError::Sql { doing: files, failure }
            }
            [unit] => EngineError::Sql { doing: format!("{doing} {}", unit.text.file()), failure },
            [] => EngineError::Sql { doing, failure },
        },
        other => other,
    }
}

fn last_statement(unit: &Unit) -> Span {
    let span = unit.parts.last().map_or_else(|| Span::new(0, 0), |part| part.span);
    let line = span.text(unit.text.as_str()).lines().next().map_or(0, str::len);
    Span::new(span.start, span.start + line)
}
