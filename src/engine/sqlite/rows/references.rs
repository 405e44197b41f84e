//! A row that cannot go because others refer to it: which, by which key, and who refers.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::table::{Table, refusal};
use crate::engine::sqlite::error::doing;
use crate::engine::sqlite::names::quote;
use crate::engine::{EngineError, Result, RowSeed};
use crate::error::Place;

/// A foreign key of another table that refers to ours and lets none of the rows it refers to go. Rows of our own
/// table that refer to each other are left to the commit: they may all go, or come, in one run.
struct Reference {
    table: String,
    /// Its columns, each with the column of ours that it refers to.
    columns: Vec<(String, String)>,
}

/// Refuses to delete a row while rows of another table refer to it.
pub(super) fn refuse_if_referred_to(
    connection: &Connection,
    seed: &RowSeed,
    table: &Table,
    key: &[Value],
) -> Result<()> {
    match referring(connection, table, key, false, &["NO ACTION", "RESTRICT"])
        .map_err(doing("looking for rows that refer to a row"))?
    {
        None => Ok(()),
        Some((child, 1)) => Err(in_the_way(seed, table, key, &format!("1 row of {child} refers to it"))),
        Some((child, rows)) => Err(in_the_way(seed, table, key, &format!("{rows} rows of {child} refer to it"))),
    }
}

/// Refuses to put a row aside for a moment where that would take along, change or forbid rows that refer to it.
pub(super) fn refuse_if_taken_along(
    connection: &Connection,
    seed: &RowSeed,
    table: &Table,
    key: &[Value],
) -> Result<()> {
    let acting = ["CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT"];
    let found = referring(connection, table, key, true, &acting);
    let Some((child, _)) = found.map_err(doing("looking for rows that refer to a row"))? else { return Ok(()) };
    Err(refusal(
        "seed/traded",
        format!(
            "rows of {} trade a unique value, and cannot be put aside for it: rows of {child} refer to {} with an ON \
             DELETE that would act",
            table.name,
            shown(table, key)
        ),
        Some(Place { file: seed.file.clone(), line: 1, column: 1, text: String::new(), width: 1 }),
        Some("write a script that moves the values by way of a third one".to_owned()),
    ))
}

/// Returns the refusal for a row that must not be deleted.
pub(super) fn in_the_way(seed: &RowSeed, table: &Table, key: &[Value], why: &str) -> EngineError {
    refusal(
        "seed/foreign-key",
        format!(
            "the row {} is no longer in the file, but cannot be deleted from {}: {why}",
            shown(table, key),
            table.name
        ),
        Some(Place { file: seed.file.clone(), line: 1, column: 1, text: String::new(), width: 1 }),
        Some("put the row back into the file, or write a script that moves what refers to it".to_owned()),
    )
}

/// Returns a table that refers to the row, and how many of its rows do.
fn referring(
    connection: &Connection,
    table: &Table,
    key: &[Value],
    own: bool,
    actions: &[&str],
) -> rusqlite::Result<Option<(String, i64)>> {
    for reference in references(connection, &table.name, own, actions)? {
        let pairs = reference.columns.iter().map(|(from, to)| format!("child.{} = parent.{}", quote(from), quote(to)));
        let sql = format!(
            "select count(*) from {} as parent join {} as child on {} where {}",
            table.sql,
            quote(&reference.table),
            pairs.collect::<Vec<_>>().join(" and "),
            qualified(table)
        );
        let count: i64 = connection.query_row(&sql, rusqlite::params_from_iter(key), |row| row.get(0))?;
        if count > 0 {
            return Ok(Some((reference.table, count)));
        }
    }
    Ok(None)
}

fn qualified(table: &Table) -> String {
    let parts = table.key_names().into_iter().enumerate();
    parts.map(|(index, name)| format!("parent.{} is ?{}", quote(name), index + 1)).collect::<Vec<_>>().join(" and ")
}

/// Returns the foreign keys that refer to a table and do one of these when a row goes; its own only if asked.
fn references(connection: &Connection, table: &str, own: bool, actions: &[&str]) -> rusqlite::Result<Vec<Reference>> {
    // A reference without columns means the parent's primary key, column by column.
    let mut statement = connection.prepare(
        "select child.name, list.id, list.\"from\",
                coalesce(list.\"to\", (select name from pragma_table_info(?1) where pk = list.seq + 1))
           from sqlite_schema as child, pragma_foreign_key_list(child.name) as list
          where child.type = 'table'
            and (?2 or child.name <> ?1)
            and list.\"table\" = ?1 collate nocase
            and list.on_delete in (select value from json_each(?3))
          order by child.name, list.id, list.seq",
    )?;
    let actions = serde_json::Value::from(actions.to_vec()).to_string();
    let mut rows = statement.query((table, own, actions))?;
    let mut found: Vec<(i64, Reference)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (child, id): (String, i64) = (row.get(0)?, row.get(1)?);
        let pair = (row.get(2)?, row.get(3)?);
        match found.last_mut() {
            Some((last, reference)) if *last == id && reference.table == child => reference.columns.push(pair),
            _ => found.push((id, Reference { table: child, columns: vec![pair] })),
        }
    }
    Ok(found.into_iter().map(|(_, reference)| reference).collect())
}

fn shown(table: &Table, key: &[Value]) -> String {
    let values: Vec<String> = key.iter().map(show).collect();
    format!("{} ({})", table.key_names().join(", "), values.join(", "))
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(_) => "a blob".to_owned(),
    }
}
