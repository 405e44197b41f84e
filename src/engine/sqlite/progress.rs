//! How far a script without a transaction came: a row for each finished statement while it is running.
//!
//! The rows have a table of their own: the entry holds the script's text, and SQLite writes a row as a whole.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};

use super::database::Database;
use super::error::doing;
use super::journal::unusable;
use super::names::Names;
use crate::engine::{EngineError, Part, Result, Unit};
use crate::journal::Run;
use crate::script::Checksum;
use crate::sql::Span;

/// What is done of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The digest of each finished statement, left out by its guard or not, in order.
    pub done: Vec<Checksum>,
    /// What guards of groups have said, by the group's first statement.
    pub groups: BTreeMap<usize, bool>,
}

/// Returns the statement that makes the table; it changes nothing that is there.
pub(super) fn table(names: &Names) -> String {
    format!(
        "create table if not exists {} (
           sequence integer not null,
           statement integer not null,
           digest text not null,
           entered integer,
           primary key (sequence, statement)
         ) without rowid;",
        names.progress
    )
}

/// Reads the progress of an interrupted script and makes it this run's; `None` if it is no longer running.
pub(super) fn resume(
    connection: &Connection,
    database: &Database,
    unit: &Unit,
    attempt: i32,
    run: &Run,
) -> Result<Option<(i64, Progress)>> {
    let sql = format!(
        "update {} set run = ?5, tool_version = ?6, applied_by = ?7, error = null
          where project = ?1 and kind = ?2 and key = ?3 and attempt = ?4 and state = 'running'
         returning sequence, statements_done",
        database.names.journal
    );
    let entry = &unit.entry;
    let values = rusqlite::params![
        entry.project,
        entry.kind.as_str(),
        entry.key,
        attempt,
        run.id,
        run.tool_version,
        database.user
    ];
    let row = connection.query_row(&sql, values, |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)));
    let Some((sequence, known)) = row.optional().map_err(|error| unusable(&database.names, &error))? else {
        return Ok(None);
    };
    let progress = read(connection, database, sequence)?;
    match progress {
        Some(progress) if number(progress.done.len()) >= known => Ok(Some((sequence, progress))),
        _ => Err(EngineError::Journal(format!(
            "{} {} has {known} finished statements, and the table {} does not say which",
            entry.kind.as_str(),
            entry.key,
            database.names.progress
        ))),
    }
}

/// Returns what the rows say; `None` if one is missing.
fn read(connection: &Connection, database: &Database, sequence: i64) -> Result<Option<Progress>> {
    let sql = format!(
        "select statement, digest, entered from {} where sequence = ?1 order by statement",
        database.names.progress
    );
    let wrong = |error: rusqlite::Error| unusable(&database.names, &error);
    let mut statement = connection.prepare(&sql).map_err(wrong)?;
    let mut rows = statement.query([sequence]).map_err(wrong)?;
    let mut progress = Progress::default();
    while let Some(row) = rows.next().map_err(wrong)? {
        let at = progress.done.len();
        if row.get::<_, i64>(0).map_err(wrong)? != number(at) {
            return Ok(None);
        }
        progress.done.push(row.get::<_, String>(1).map_err(wrong)?.into());
        if let Some(entered) = row.get(2).map_err(wrong)? {
            progress.groups.insert(at, entered);
        }
    }
    Ok(Some(progress))
}

/// Returns how many statements are done of each running script, by its entry's sequence.
pub(super) fn counts(connection: &Connection, names: &Names) -> Result<BTreeMap<i64, i32>> {
    let wrong = |error: rusqlite::Error| unusable(names, &error);
    let there = "select 1 from sqlite_schema where type = 'table' and name = ?1 collate nocase";
    if connection.query_row(there, [names.stored("progress")], |_| Ok(())).optional().map_err(wrong)?.is_none() {
        return Ok(BTreeMap::new());
    }
    let sql = format!("select sequence, count(*) from {} group by sequence", names.progress);
    let mut statement = connection.prepare(&sql).map_err(wrong)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(wrong)?;
    rows.collect::<rusqlite::Result<_>>().map_err(wrong)
}

/// Writes that the next statement of a running script is done; false if the script's entry is gone. Inside a
/// transaction.
pub(super) fn write(
    connection: &Connection,
    database: &Database,
    sequence: i64,
    at: usize,
    digest: &Checksum,
    entered: Option<bool>,
) -> Result<bool> {
    let sql = format!(
        "insert into {} (sequence, statement, digest, entered)
         select sequence, ?2, ?3, ?4 from {} where sequence = ?1 and state = 'running'",
        database.names.progress, database.names.journal
    );
    let written = connection.execute(&sql, rusqlite::params![sequence, number(at), digest.as_str(), entered]);
    Ok(written.map_err(doing("writing the progress"))? == 1)
}

/// Forgets the progress of a script that came to its end. Inside a transaction.
pub(super) fn forget(connection: &Connection, database: &Database, sequence: i64) -> Result<()> {
    let sql = format!("delete from {} where sequence = ?1", database.names.progress);
    connection.execute(&sql, [sequence]).map_err(doing("clearing the progress"))?;
    Ok(())
}

/// Returns a count as SQLite keeps it.
pub(super) fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Refuses a script whose finished statements are no longer those that it begins with.
pub(super) fn refuse_changed(unit: &Unit, progress: &Progress) -> Result<()> {
    let same = |(part, done): (&Part, &Checksum)| part.digest == *done;
    let unchanged = unit.parts.iter().zip(&progress.done).take_while(|pair| same(*pair)).count();
    if unchanged == progress.done.len() {
        return Ok(());
    }
    let end = unit.text.as_str().len();
    let span = unit.parts.get(unchanged).map_or(Span::new(end, end), |part| {
        let line = part.span.text(unit.text.as_str()).lines().next().map_or(0, str::len);
        Span::new(part.span.start, part.span.start + line)
    });
    Err(EngineError::Refused {
        code: "script/finished-part-changed",
        message: format!(
            "{} of {} statements of this script are done, and statement {} is no longer the one that ran",
            progress.done.len(),
            unit.running.as_ref().map_or(unit.entry.statements, |entry| entry.statements),
            unchanged + 1
        ),
        place: Some(unit.text.place(span)),
        hint: Some("put the finished statements back as they were; mend only what comes after them".to_owned()),
    })
}
