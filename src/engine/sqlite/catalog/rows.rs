//! Rows of a fresh build, and the rows of another database that have the same keys. Values are literals, so that
//! their types are told with them.

use rusqlite::Connection;

use super::folded;
use crate::engine::Result;
use crate::engine::catalog::{Row, TableRows};
use crate::engine::sqlite::error::doing;
use crate::engine::sqlite::names::{Names, quote};
use crate::sql::Name;

/// Reads the rows of all tables of a database that holds nothing but what scripts, code and seeds put there.
pub(in crate::engine::sqlite) fn seeded(connection: &Connection, names: &Names) -> Result<Vec<TableRows>> {
    let known = doing("reading rows");
    let mut statement = connection
        .prepare(
            "select name from pragma_table_list
              where schema = 'main' and type = 'table' and name not like 'sqlite\\_%' escape '\\'
              order by name",
        )
        .map_err(&known)?;
    let tables: Vec<String> = statement.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(&known)?;
    let mut found = Vec::new();
    for table in tables.iter().filter(|table| !names.is_ours(table)) {
        let mut shape = shape(connection, table).map_err(&known)?;
        if shape.columns.is_empty() {
            continue;
        }
        let sql = format!("select {} from {}", values(&shape), quote(table));
        shape.rows = rows(connection, &sql, shape.columns.len()).map_err(&known)?;
        if !shape.rows.is_empty() {
            shape.rows.sort();
            found.push(shape);
        }
    }
    Ok(found)
}

/// Reads the rows that have the keys of these, or nothing where there is no such table or column.
pub(in crate::engine::sqlite) fn rows_like(connection: &Connection, wanted: &TableRows) -> Result<Option<Vec<Row>>> {
    let name = quote(wanted.table.object());
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
        match rows(connection, &sql, wanted.columns.len()) {
            Ok(rows) => found.extend(rows),
            Err(rusqlite::Error::SqliteFailure(..) | rusqlite::Error::SqlInputError { .. }) => return Ok(None),
            Err(error) => return Err(doing("reading rows")(error)),
        }
    }
    Ok(Some(found))
}

/// Takes a table's columns, those of the key first. What has a default that is worked out has another value in each
/// build; 2 and 3 are generated (<https://sqlite.org/pragma.html#pragma_table_xinfo>).
fn shape(connection: &Connection, table: &str) -> rusqlite::Result<TableRows> {
    let mut statement =
        connection.prepare("select name, pk, hidden, coalesce(dflt_value, '') from pragma_table_xinfo(?1)")?;
    let columns = statement.query_map([table], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, String>(3)?))
    })?;
    let mut chosen = Vec::new();
    for column in columns {
        let (name, key, hidden, default) = column?;
        let is_worked_out =
            hidden != 0 || default.contains('(') || default.to_ascii_lowercase().starts_with("current_");
        if key > 0 || !is_worked_out {
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

fn rows(connection: &Connection, sql: &str, columns: usize) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare(sql)?;
    // `quote` makes a NULL the word.
    let value = |text: Option<String>| text.filter(|text| text != "NULL");
    let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at).map(value)).collect())?;
    rows.collect()
}
