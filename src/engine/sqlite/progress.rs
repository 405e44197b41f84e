//! How far a script without a transaction came: the digests of its finished statements, in its entry while it
//! is running.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::database::Database;
use super::error::doing;
use super::journal::unusable;
use crate::engine::{EngineError, Part, Result, Unit};
use crate::journal::Run;
use crate::script::Checksum;
use crate::sql::Span;

/// What is done of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    /// The digest of each finished statement, left out by its guard or not, in order.
    pub done: Vec<Checksum>,
    /// What guards of groups have said, by the group's first statement.
    pub groups: BTreeMap<usize, bool>,
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
         returning sequence, progress",
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
    let row = connection.query_row(&sql, values, |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?)));
    let Some((sequence, text)) = row.optional().map_err(|error| unusable(&database.names, &error))? else {
        return Ok(None);
    };
    let progress = match text {
        None => Progress::default(),
        Some(text) => serde_json::from_str(&text).map_err(|error| {
            EngineError::Journal(format!(
                "the progress of {} {} cannot be read: {error}",
                entry.kind.as_str(),
                entry.key
            ))
        })?,
    };
    Ok(Some((sequence, progress)))
}

/// Writes how far a running script has come; false if its entry is gone. Inside a transaction.
pub(super) fn write(connection: &Connection, database: &Database, sequence: i64, progress: &Progress) -> Result<bool> {
    let text = serde_json::to_string(progress)
        .map_err(|error| EngineError::Journal(format!("the progress cannot be written: {error}")))?;
    let sql = format!("update {} set progress = ?2, statements_done = ?3 where sequence = ?1", database.names.journal);
    let done = i64::try_from(progress.done.len()).unwrap_or(i64::MAX);
    let written = connection.execute(&sql, (sequence, text, done)).map_err(doing("writing the progress"))?;
    Ok(written == 1)
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
            unit.entry.statements,
            unchanged + 1
        ),
        place: Some(unit.text.place(span)),
        hint: Some("put the finished statements back as they were; mend only what comes after them".to_owned()),
    })
}
