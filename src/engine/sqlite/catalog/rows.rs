//! Rows of a fresh build, and the rows of another database that have the same keys. Values are literals, so that
//! their types are told with them.

use std::collections::HashSet;

use rusqlite::Connection;

use super::folded;
use crate::engine::Result;
use crate::engine::catalog::{Row, TableRows};
use crate::engine::sqlite::error::doing;
use crate::engine::sqlite::names::{Names, quote};
use crate::sql::Name;

/// Reads the rows of all tables of a database that holds nothing but what scripts, code and seeds put there.
pub(in crate::engine::sqlite) fn seeded(connection: &Connection, names: &Names) -> Result<Vec<TableRows>> {
    let mut found = Vec::new();
    for table in tables(connection, names)? {
        let filled = filled(connection, &table, Columns::Given).map_err(doing("reading rows"))?;
        if !filled.rows.is_empty() {
            found.push(filled);
        }
    }
    Ok(found)
}

/// Returns the names of the tables, without dbbuild's own and SQLite's, sorted.
pub(in crate::engine::sqlite) fn tables(connection: &Connection, names: &Names) -> Result<Vec<String>> {
    let known = doing("reading rows");
    let mut statement = connection
        .prepare(
            "select name from pragma_table_list
              where schema = 'main' and type = 'table' and name not like 'sqlite\\_%' escape '\\'
              order by name",
        )
        .map_err(&known)?;
    let tables: Vec<String> = statement.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(&known)?;
    Ok(tables.into_iter().filter(|table| !names.is_ours(table)).collect())
}

/// Returns a table's name as comparisons have it.
pub(in crate::engine::sqlite) fn named(table: &str) -> Name {
    Name::new([folded(table)])
}

/// Reads a table's rows with every column.
pub(in crate::engine::sqlite) fn whole(connection: &Connection, table: &str) -> Result<TableRows> {
    filled(connection, table, Columns::All).map_err(doing("reading rows"))
}

/// Which columns of a table are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Columns {
    /// Those whose values are given: what is worked out has another value in each build.
    Given,
    /// Every one that is stored.
    All,
}

fn filled(connection: &Connection, table: &str, columns: Columns) -> rusqlite::Result<TableRows> {
    let mut shape = shape(connection, table, columns)?;
    if !shape.columns.is_empty() {
        let sql = format!("select {} from {}", values(&shape), quote(table));
        shape.rows = rows(connection, &sql, shape.columns.len(), |_| true)?;
        shape.rows.sort();
    }
    Ok(shape)
}

/// Reads the rows that have the keys of these, or nothing where there is no such table or column.
pub(in crate::engine::sqlite) fn rows_like(connection: &Connection, wanted: &TableRows) -> Result<Option<Vec<Row>>> {
    let name = quote(wanted.table.object());
    // Where the whole row is its key, no index leads to it: they are all read, once.
    if wanted.key == wanted.columns.len() {
        let sql = format!("select {} from {name}", values(wanted));
        let there: HashSet<&Row> = wanted.rows.iter().collect();
        return told(rows(connection, &sql, wanted.columns.len(), |row| there.contains(row)));
    }
    let mut found = Vec::new();
    for row in &wanted.rows {
        let equal: Vec<String> = wanted
            .columns
            .iter()
            .take(wanted.key)
            .zip(row)
            .map(|(column, value)| format!("{} is {}", quote(column), value.as_deref().unwrap_or("null")))
            .collect();
        let sql = format!("select {} from {name} where {}", values(wanted), equal.join(" and "));
        match told(rows(connection, &sql, wanted.columns.len(), |_| true))? {
            Some(rows) => found.extend(rows),
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

fn told(read: rusqlite::Result<Vec<Row>>) -> Result<Option<Vec<Row>>> {
    match read {
        Ok(rows) => Ok(Some(rows)),
        Err(rusqlite::Error::SqliteFailure(..) | rusqlite::Error::SqlInputError { .. }) => Ok(None),
        Err(error) => Err(doing("reading rows")(error)),
    }
}

/// Takes a table's columns, those of the key first. What has a default that is worked out has another value in each
/// build; 2 and 3 are generated (<https://sqlite.org/pragma.html#pragma_table_xinfo>).
fn shape(connection: &Connection, table: &str, wanted: Columns) -> rusqlite::Result<TableRows> {
    let mut statement =
        connection.prepare("select name, pk, hidden, coalesce(dflt_value, '') from pragma_table_xinfo(?1)")?;
    let columns = statement.query_map([table], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, String>(3)?))
    })?;
    let mut chosen = Vec::new();
    for column in columns {
        let (name, key, hidden, default) = column?;
        let is_worked_out =
            wanted == Columns::Given && (default.contains('(') || default.to_ascii_lowercase().starts_with("current_"));
        if key > 0 || (!is_worked_out && hidden == 0) {
            chosen.push((if key > 0 { key } else { i64::MAX }, name));
        }
    }
    chosen.sort_by_key(|(key, _)| *key);
    let keys = chosen.iter().filter(|(key, _)| *key < i64::MAX).count();
    let columns: Vec<String> = chosen.into_iter().map(|(_, name)| name).collect();
    Ok(TableRows {
        table: Name::new([folded(table)]),
        types: vec![String::new(); columns.len()],
        key: if keys > 0 { keys } else { columns.len() },
        columns,
        rows: Vec::new(),
    })
}

fn values(table: &TableRows) -> String {
    table.columns.iter().map(|column| format!("quote({})", quote(column))).collect::<Vec<_>>().join(", ")
}

fn rows(
    connection: &Connection,
    sql: &str,
    columns: usize,
    wanted: impl Fn(&Row) -> bool,
) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare(sql)?;
    // `quote` makes a NULL the word.
    let value = |text: Option<String>| text.filter(|text| text != "NULL");
    let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at).map(value)).collect())?;
    rows.filter(|row| row.as_ref().map_or(true, &wanted)).collect()
}
