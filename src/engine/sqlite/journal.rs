//! The journal's tables: making them, and writing rows. `docs/reference/journal.md` is their contract.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, named_params};

use super::database::Database;
use super::error::{doing, met};
use super::names::Names;
use crate::engine::offline::unindented;
use crate::engine::{EngineError, Result};
use crate::journal::{FORMAT, Kind, Mark, NewEntry, Run, Stored};

/// SQLite's clock, in UTC with milliseconds.
pub(super) const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/// Creates what is missing. Inside a transaction.
pub(super) fn create(connection: &Connection, names: &Names) -> Result<()> {
    connection.execute_batch(&tables(names)).map_err(doing("creating the journal"))
}

/// Returns the statements that create what is missing; SQLite keeps their text as it is.
pub(super) fn tables(names: &Names) -> String {
    let progress = super::progress::table(names);
    let Names { journal, plan, environment, seed_row, version, .. } = names;
    // Long columns stand last: SQLite reads a row from the front, page by page. The index holds all that planning
    // asks for, so that no text is passed over for it.
    unindented(&format!(
        "create table if not exists {journal} (
           sequence integer primary key,
           project text not null,
           kind text not null,
           key text not null,
           order_key text not null,
           attempt integer not null,
           name text not null,
           checksum text not null,
           token_checksum text not null,
           state text not null,
           statements_done integer not null default 0,
           statements integer not null default 0,
           started_at text not null,
           finished_at text,
           duration_ms integer,
           applied_by text,
           run text not null,
           tool_version text not null,
           source_revision text,
           error text,
           objects text,
           text text,
           unique (project, kind, key, attempt)
         );
         create index if not exists {plan}
             on {journal} (project, kind, key, attempt, name, checksum, token_checksum, state, statements_done,
                           statements, sequence);
         create table if not exists {environment} (
           id integer primary key check (id = 1),
           environment text,
           protected integer,
           set_at text,
           set_by text,
           format integer not null
         );
         create table if not exists {seed_row} (
           project text not null,
           file text not null,
           key text not null,
           digest blob not null,
           primary key (project, file, key)
         ) without rowid;
         {progress}
         create view if not exists {version} as
         select project, version, name, state, finished_at
           from (select project, key as version, name, state, finished_at, max(order_key)
                   from {journal} as entry
                  where kind = 'script'
                    and state in ('applied', 'adopted', 'squashed')
                    and attempt = (select max(attempt)
                                     from {journal} as newer
                                    where newer.project = entry.project
                                      and newer.kind = entry.kind
                                      and newer.key = entry.key
                                      and newer.state <> 'running')
                  group by project);
         insert into {environment} (id, format) values (1, {FORMAT}) on conflict (id) do nothing;"
    ))
}

/// Returns the format of the journal that is there; `None` if there is none.
pub(super) fn format(connection: &Connection, names: &Names) -> Result<Option<u32>> {
    let known = doing("reading the journal");
    let sql = "select exists (select 1 from sqlite_schema where type = 'table' and name = ?1 collate nocase)";
    let there =
        |table: &str| connection.query_row(sql, [names.stored(table)], |row| row.get::<_, bool>(0)).map_err(&known);
    if !there("journal")? {
        return Ok(None);
    }
    if !there("environment")? {
        // Somebody dropped it. Without it nothing says that the format is another.
        return Ok(Some(FORMAT));
    }
    let sql = format!("select format from {} where id = 1", names.environment);
    let format = connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).optional();
    match format.map_err(|error| unusable(names, &error))? {
        Some(format) if format > i64::from(FORMAT) => Err(EngineError::newer_journal(format, FORMAT)),
        Some(format) => Ok(Some(u32::try_from(format).unwrap_or_default())),
        None => Ok(Some(FORMAT)),
    }
}

/// Returns the failure of reading tables that are not as dbbuild made them.
pub(super) fn unusable(names: &Names, error: &rusqlite::Error) -> EngineError {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => {
            EngineError::Journal(format!("the tables {}_… are not as dbbuild makes them: {msg}", names.prefix()))
        }
        rusqlite::Error::InvalidColumnType(_, column, kind) => EngineError::Journal(format!(
            "the tables {}_… hold what dbbuild did not write: column {column} holds a value of type {kind}",
            names.prefix()
        )),
        rusqlite::Error::IntegralValueOutOfRange(_, value) => {
            EngineError::Journal(format!("the tables {}_… hold an impossible number, {value}", names.prefix()))
        }
        rusqlite::Error::FromSqlConversionFailure(_, _, why) => {
            EngineError::Journal(format!("the tables {}_… cannot be read: {why}", names.prefix()))
        }
        other => match other.sqlite_error_code() {
            Some(_) => met("reading the journal", other),
            None => EngineError::Journal(other.to_string()),
        },
    }
}

/// Writes the mark. `over` is false to leave a mark that is there.
pub(super) fn mark(connection: &Connection, database: &Database, mark: &Mark, over: bool) -> Result<()> {
    let sql = format!(
        "update {} set environment = :environment, protected = :protected, set_at = {NOW}, set_by = :set_by
          where id = 1 and (:over or environment is null)",
        database.names.environment
    );
    let values = named_params! {
        ":environment": mark.environment, ":protected": mark.protected, ":set_by": database.user, ":over": over,
    };
    connection.execute(&sql, values).map_err(doing("writing the mark"))?;
    Ok(())
}

/// Claims an entry as `running`; `None` if another builder has it. Inside a transaction.
pub(super) fn claim(connection: &Connection, database: &Database, entry: &NewEntry, run: &Run) -> Result<Option<i64>> {
    insert(connection, database, entry, Stored::Running, run)
}

/// Takes a claim back; false if it is not there, or the journal itself went with its transaction.
pub(super) fn give_back(connection: &Connection, database: &Database, sequence: i64) -> Result<bool> {
    if format(connection, &database.names)?.is_none() {
        return Ok(false);
    }
    let sql = format!("delete from {} where sequence = ?1 and state = 'running'", database.names.journal);
    connection.execute(&sql, [sequence]).map(|rows| rows > 0).map_err(doing("taking the claim back"))
}

/// Writes an entry in its final state; `None` if another builder has it. Inside a transaction.
pub(super) fn write(connection: &Connection, database: &Database, entry: &NewEntry, run: &Run) -> Result<Option<i64>> {
    let Some(sequence) = insert(connection, database, entry, entry.state, run)? else { return Ok(None) };
    let sql = format!(
        "update {} set finished_at = started_at, duration_ms = 0, statements_done = statements where sequence = ?1",
        database.names.journal
    );
    connection.execute(&sql, [sequence]).map_err(doing("writing the journal"))?;
    Ok(Some(sequence))
}

fn insert(
    connection: &Connection,
    database: &Database,
    entry: &NewEntry,
    state: Stored,
    run: &Run,
) -> Result<Option<i64>> {
    let sql = format!(
        "insert into {} (project, kind, key, order_key, attempt, name, checksum, token_checksum, text, state,
                         statements, started_at, applied_by, run, tool_version, source_revision, objects)
         values (:project, :kind, :key, :order_key, :attempt, :name, :checksum, :token_checksum, :text, :state,
                 :statements, {NOW}, :applied_by, :run, :tool_version, :source_revision, :objects)
         on conflict (project, kind, key, attempt) do nothing
         returning sequence",
        database.names.journal
    );
    let values = named_params! {
        ":project": entry.project,
        ":kind": entry.kind.as_str(),
        ":key": entry.key,
        ":order_key": entry.order_key,
        ":attempt": entry.attempt,
        ":name": entry.name,
        ":checksum": entry.checksum.as_str(),
        ":token_checksum": entry.token_checksum.as_str(),
        ":text": entry.text,
        ":state": state.as_str(),
        ":statements": entry.statements,
        ":applied_by": database.user,
        ":run": run.id,
        ":tool_version": run.tool_version,
        ":source_revision": run.source_revision,
        ":objects": objects(entry),
    };
    let known = doing("claiming the entry");
    let mut statement = connection.prepare_cached(&sql).map_err(&known)?;
    statement.query_row(values, |row| row.get(0)).optional().map_err(known)
}

/// Returns the objects that a text makes, as the journal has them.
pub(super) fn objects(entry: &NewEntry) -> Option<String> {
    (!entry.objects.is_empty()).then(|| serde_json::Value::from(entry.objects.clone()).to_string())
}

/// Brings a claimed entry into its final state. A resumed script may have been mended since it was claimed, so
/// everything that its text decides is written again. False if the entry is gone: the text changed the journal.
pub(super) fn finish(
    connection: &Connection,
    database: &Database,
    sequence: i64,
    entry: &NewEntry,
    took: Duration,
) -> Result<bool> {
    let sql = format!(
        "update {} set state = :state, name = :name, checksum = :checksum, token_checksum = :token_checksum,
                       text = :text, statements = :statements, statements_done = :statements, objects = :objects,
                       error = null, finished_at = {NOW}, duration_ms = :duration
          where sequence = :sequence",
        database.names.journal
    );
    let values = named_params! {
        ":state": entry.state.as_str(),
        ":name": entry.name,
        ":checksum": entry.checksum.as_str(),
        ":token_checksum": entry.token_checksum.as_str(),
        ":text": entry.text,
        ":statements": entry.statements,
        ":objects": objects(entry),
        ":duration": i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
        ":sequence": sequence,
    };
    let known = doing("finishing the entry");
    let written = connection.prepare_cached(&sql).and_then(|mut statement| statement.execute(values));
    Ok(written.map_err(known)? == 1)
}

/// Returns the text of the newest attempt.
pub(super) fn text(
    connection: &Connection,
    names: &Names,
    project: &str,
    kind: Kind,
    key: &str,
) -> Result<Option<String>> {
    let sql = format!(
        "select text from {} where project = ?1 and kind = ?2 and key = ?3 order by attempt desc limit 1",
        names.journal
    );
    let text = connection.query_row(&sql, (project, kind.as_str(), key), |row| row.get::<_, Option<String>>(0));
    text.optional().map(Option::flatten).map_err(|error| unusable(names, &error))
}
