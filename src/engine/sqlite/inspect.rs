//! Reading what there is to know before anything is done: a few statements in one read transaction.

use rusqlite::{Connection, OptionalExtension};

use super::error::doing;
use super::journal::{format, unusable};
use super::names::Names;
use crate::engine::{EngineError, Inspection, Result};
use crate::journal::{Entry, Kind, Mark, Stored};
use crate::script::Checksum;

/// SQLite's major version.
pub(super) const MAJOR: u32 = 3;

/// How many objects are named of a database that has no journal.
const SHOWN: usize = 10;

/// Reads the journal's newest rows, the mark, and, where nothing is journaled, what objects there are.
pub(super) fn inspect(connection: &Connection, names: &Names, project: &str) -> Result<Inspection> {
    let known = doing("reading the database");
    connection.execute_batch("begin").map_err(&known)?;
    let read = read(connection, names, project);
    connection.execute_batch("commit").map_err(&known)?;
    read
}

fn read(connection: &Connection, names: &Names, project: &str) -> Result<Inspection> {
    if format(connection, names)?.is_none() {
        let objects = objects(connection, names)?;
        return Ok(Inspection { journal: None, other_projects: Vec::new(), mark: None, objects, major: MAJOR });
    }
    let journal = entries(connection, names, project)?;
    let other_projects = if journal.is_empty() { other_projects(connection, names, project)? } else { Vec::new() };
    let nothing = journal.is_empty() && other_projects.is_empty();
    let objects = if nothing { objects(connection, names)? } else { Vec::new() };
    Ok(Inspection { journal: Some(journal), other_projects, mark: mark(connection, names)?, objects, major: MAJOR })
}

/// With one `max` SQLite takes the bare columns from the row that has it
/// (<https://sqlite.org/lang_select.html#bareagg>).
fn entries(connection: &Connection, names: &Names, project: &str) -> Result<Vec<Entry>> {
    let sql = format!(
        "select sequence, kind, key, max(attempt), name, checksum, token_checksum, state, statements_done, statements
           from {}
          where project = ?1
          group by kind, key",
        names.journal
    );
    let wrong = |error: rusqlite::Error| unusable(names, &error);
    let mut statement = connection.prepare(&sql).map_err(wrong)?;
    let mut rows = statement.query([project]).map_err(wrong)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next().map_err(wrong)? {
        entries.push(entry(row).map_err(wrong)??);
    }
    entries.sort_unstable_by_key(|entry| entry.sequence);
    if entries.iter().any(|entry| entry.state == Stored::Running) {
        let counts = super::progress::counts(connection, names)?;
        for entry in entries.iter_mut().filter(|entry| entry.state == Stored::Running) {
            entry.statements_done = counts.get(&entry.sequence).copied().unwrap_or(entry.statements_done);
        }
    }
    Ok(entries)
}

fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<Entry>> {
    let sequence = row.get(0)?;
    let (kind, state) = (row.get_ref(1)?.as_str()?, row.get_ref(7)?.as_str()?);
    let unknown = |what: &str, word: &str| {
        Ok(Err(EngineError::Journal(format!(
            "row {sequence} of the journal has the {what} {word:?}, which this program does not know"
        ))))
    };
    let Some(known_kind) = Kind::parse(kind) else { return unknown("kind", kind) };
    let Some(known_state) = Stored::parse(state) else { return unknown("state", state) };
    Ok(Ok(Entry {
        sequence,
        kind: known_kind,
        key: row.get(2)?,
        attempt: row.get(3)?,
        name: row.get(4)?,
        checksum: Checksum::from(row.get::<_, String>(5)?),
        token_checksum: Checksum::from(row.get::<_, String>(6)?),
        state: known_state,
        statements_done: row.get(8)?,
        statements: row.get(9)?,
    }))
}

fn other_projects(connection: &Connection, names: &Names, project: &str) -> Result<Vec<String>> {
    let sql = format!("select distinct project from {} where project <> ?1 order by project", names.journal);
    let wrong = |error: rusqlite::Error| unusable(names, &error);
    let mut statement = connection.prepare(&sql).map_err(wrong)?;
    let found = statement.query_map([project], |row| row.get(0)).map_err(wrong)?;
    found.collect::<rusqlite::Result<_>>().map_err(wrong)
}

fn mark(connection: &Connection, names: &Names) -> Result<Option<Mark>> {
    let sql = "select 1 from sqlite_schema where type = 'table' and name = ?1 collate nocase";
    let wrong = |error: rusqlite::Error| unusable(names, &error);
    let there = connection.query_row(sql, [names.stored("environment")], |_| Ok(())).optional().map_err(wrong)?;
    if there.is_none() {
        return Ok(None);
    }
    let sql =
        format!("select environment, protected from {} where id = 1 and environment is not null", names.environment);
    let mark = connection.query_row(&sql, [], |row| {
        // What is neither 0 nor 1 protects.
        let protected = row.get::<_, Option<i64>>(1)? != Some(0);
        Ok(Mark { environment: row.get(0)?, protected })
    });
    mark.optional().map_err(wrong)
}

/// Names a few objects of the project's.
pub(super) fn objects(connection: &Connection, names: &Names) -> Result<Vec<String>> {
    let known = doing("listing objects");
    let mut statement = connection
        .prepare(
            "select type, name, tbl_name
               from sqlite_schema
              where name not like 'sqlite\\_%' escape '\\'
              order by rowid",
        )
        .map_err(&known)?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)));
    let mut objects = Vec::new();
    for row in rows.map_err(&known)? {
        let (kind, name, table) = row.map_err(&known)?;
        if objects.len() < SHOWN && !names.is_ours(&name) && !names.is_ours(&table) {
            objects.push(format!("{kind} {name}"));
        }
    }
    Ok(objects)
}
