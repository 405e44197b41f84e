//! Scripts without a transaction around them: statement by statement, each journaled as it is done.
//!
//! A statement commits together with its progress: it ran exactly once. Only those that SQLite refuses inside a
//! transaction (VACUUM), or that a transaction makes void (PRAGMA), run bare, their progress after them: at least
//! once.

use std::time::Instant;

use rusqlite::Connection;

use super::apply::entry_gone;
use super::database::Database;
use super::error::{doing, interrupted};
use super::guard::Answers;
use super::progress::{self, Progress};
use super::run::{refused, statement};
use super::{journal, transaction};
use crate::engine::{Applied, EngineError, Mode, Outcome, Part, Result, Unit};
use crate::event::Observer;
use crate::journal::Run;
use crate::sql::{Dialect, Span, Tokens};

/// Runs the one unit in `units`, or what is left of it.
pub(super) fn run(
    connection: &Connection,
    database: &Database,
    units: &[Unit],
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<Outcome> {
    let Some(unit) = units.first() else { return Ok(Outcome::Taken) };
    refuse_without_lock(database, unit)?;
    let since = Instant::now();
    let claimed = transaction::within(connection, database, |connection| {
        connection.execute_batch(&progress::table(&database.names)).map_err(doing("creating the journal"))?;
        match &unit.running {
            Some(entry) => {
                let Some((sequence, progress)) = progress::resume(connection, database, unit, entry.attempt, run)?
                else {
                    return Ok(None);
                };
                progress::refuse_changed(unit, &progress)?;
                Ok(Some((sequence, progress)))
            }
            None => {
                let sequence = journal::claim(connection, database, &unit.entry, run)?;
                Ok(sequence.map(|sequence| (sequence, Progress::default())))
            }
        }
    })?;
    let Some((sequence, progress)) = claimed else { return Ok(Outcome::Taken) };
    let mut work = Work { connection, database, units, unit, sequence, progress, applied: Applied::default(), since };
    match work.run_rest(observer) {
        Ok(()) => Ok(Outcome::Applied(work.applied)),
        Err(error) => Err(work.failed(error)),
    }
}

/// Refuses a script whose dead builder nobody could tell from a living one.
pub(super) fn refuse_without_lock(database: &Database, unit: &Unit) -> Result<()> {
    if unit.mode != Mode::Statements || database.locks || database.throwaway {
        return Ok(());
    }
    Err(EngineError::Refused {
        code: "engine/needs-session-lock",
        message: format!(
            "{} runs without a transaction, which needs the build lock: nobody could tell whether its builder lives",
            unit.text.file()
        ),
        place: None,
        hint: Some("set `lock = \"session\"` for this target".to_owned()),
    })
}

struct Work<'a> {
    connection: &'a Connection,
    database: &'a Database,
    units: &'a [Unit],
    unit: &'a Unit,
    sequence: i64,
    progress: Progress,
    applied: Applied,
    since: Instant,
}

impl Work<'_> {
    fn run_rest(&mut self, observer: &mut dyn Observer) -> Result<()> {
        let finished = self.progress.done.len();
        let mut answers = Answers { groups: self.progress.groups.clone() };
        for (index, part) in self.unit.parts.iter().enumerate().take(finished) {
            let is_needed = part.sets_session || is_pragma(self.unit, part);
            if is_needed && answers.let_run(self.connection, self.units, 0, index)? {
                statement(self.connection, self.database, self.units, 0, part)?;
            }
        }
        for (index, part) in self.unit.parts.iter().enumerate().skip(finished) {
            if self.database.interrupt.is_raised() {
                return Err(interrupted());
            }
            if part.refuses_transaction || is_pragma(self.unit, part) {
                self.bare(&mut answers, index, part)?;
            } else {
                self.with_progress(&mut answers, index, part, observer)?;
            }
        }
        self.applied.duration = self.since.elapsed();
        transaction::within(self.connection, self.database, |connection| {
            let took = self.applied.duration;
            match journal::finish(connection, self.database, self.sequence, &self.unit.entry, took)? {
                true => progress::forget(connection, self.database, self.sequence),
                false => Err(self.entry_gone(self.unit.parts.last())),
            }
        })
    }

    /// Runs a statement and then, in a transaction of its own, says so.
    fn bare(&mut self, answers: &mut Answers, index: usize, part: &Part) -> Result<()> {
        if answers.let_run(self.connection, self.units, 0, index)? {
            self.applied.rows += statement(self.connection, self.database, self.units, 0, part)?;
            self.applied.statements += 1;
        } else {
            self.applied.skipped += 1;
        }
        transaction::within(self.connection, self.database, |_| self.write(answers, index, part))?;
        self.advance(answers, index, part);
        Ok(())
    }

    /// Writes that a statement is done. Inside a transaction.
    fn write(&self, answers: &Answers, index: usize, part: &Part) -> Result<()> {
        let entered = answers.groups.get(&index).copied();
        match progress::write(self.connection, self.database, self.sequence, index, &part.digest, entered)? {
            true => Ok(()),
            false => Err(self.entry_gone(Some(part))),
        }
    }

    /// Knows that a statement is done, once that has been committed.
    fn advance(&mut self, answers: &Answers, index: usize, part: &Part) {
        self.progress.done.push(part.digest.clone());
        self.progress.groups.extend(answers.groups.get(&index).map(|entered| (index, *entered)));
    }

    /// Runs a statement, or each pass of a batch, in one transaction with its progress.
    fn with_progress(
        &mut self,
        answers: &mut Answers,
        index: usize,
        part: &Part,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let (mut passes, mut total) = (0, 0);
        loop {
            transaction::begin(self.connection, self.database)?;
            let pass = self.pass(answers, index, part);
            let ran = pass.map_err(|error| transaction::rolled_back(self.connection, error))?;
            let more = part.repeat && ran.is_some_and(|rows| rows > 0);
            if !more {
                let written = self.write(answers, index, part);
                written.map_err(|error| transaction::rolled_back(self.connection, error))?;
            }
            transaction::commit(self.connection, self.database)?;
            passes += 1;
            total += ran.unwrap_or_default();
            if !more {
                self.advance(answers, index, part);
                self.applied.skipped += usize::from(ran.is_none());
                self.applied.statements += usize::from(ran.is_some());
                self.applied.rows += total;
                self.applied.passes += if part.repeat { passes } else { 0 };
                return Ok(());
            }
            observer.event(self.unit.pass(passes, total));
            if self.database.interrupt.is_raised() {
                return Err(interrupted());
            }
        }
    }

    /// Runs a statement inside the transaction; `None` if its guard left it out.
    fn pass(&self, answers: &mut Answers, index: usize, part: &Part) -> Result<Option<u64>> {
        if !answers.let_run(self.connection, self.units, 0, index)? {
            return Ok(None);
        }
        let rows = statement(self.connection, self.database, self.units, 0, part)?;
        if self.connection.is_autocommit() {
            let message = "this statement ended the transaction that the tool began for it".to_owned();
            let hint = "take COMMIT, END and ROLLBACK out: without a transaction each statement commits by itself";
            return Err(refused(self.units, 0, part.span, "SQLITE_MISUSE", message, Some(hint)));
        }
        Ok(Some(rows))
    }

    fn entry_gone(&self, part: Option<&Part>) -> EngineError {
        let span = part.map_or(Span::new(0, 0), |part| part.span);
        let line = span.text(self.unit.text.as_str()).lines().next().map_or(0, str::len);
        entry_gone(self.units, 0, Span::new(span.start, span.start + line))
    }

    /// Says in the entry why it stopped, and in the failure what is kept.
    fn failed(&self, error: EngineError) -> EngineError {
        let kept = self.progress.done.len();
        let sql =
            format!("update {} set error = ?2, statements_done = ?3 where sequence = ?1", self.database.names.journal);
        let said = self.connection.execute(&sql, (self.sequence, error.to_string(), progress::number(kept)));
        match error {
            EngineError::Unit(mut unit) => {
                unit.kept = Some(kept);
                if let Err(error) = said {
                    // The entry stands as running all the same, and the next build resumes it.
                    unit.failure.context = Some(format!("the journal could not take the message: {error}"));
                }
                EngineError::Unit(unit)
            }
            EngineError::Interrupted { .. } => {
                let total = self.unit.parts.len();
                EngineError::Interrupted { kept: format!("{kept} of {total} statements are kept") }
            }
            other => other,
        }
    }
}

/// Returns true for PRAGMA, ATTACH and DETACH, which mean something else, or nothing, inside a transaction.
pub(super) fn is_pragma(unit: &Unit, part: &Part) -> bool {
    Tokens::new(unit.text.as_str(), part.span, Dialect::Sqlite).eat_any(&["pragma", "attach", "detach"]).is_some()
}
