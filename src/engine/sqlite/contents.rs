//! What the tables hold, the hidden ones of virtual tables included.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::catalog::named;
use super::error::doing;
use super::names::{Names, quote};
use super::trial::digest;
use crate::engine::contents::{Content, Contents, again, is_read};
use crate::engine::{Result, Row};
use crate::sql::Name;

/// Reads it, row by row for the tables that are wanted so. With `before`, of the columns that were read then.
pub(super) fn read(
    connection: &Connection,
    names: &Names,
    wanted: &BTreeSet<Name>,
    before: Option<&Contents>,
) -> Result<Contents> {
    within(connection, names, wanted, before).map_err(doing("reading rows"))
}

fn within(
    connection: &Connection,
    names: &Names,
    wanted: &BTreeSet<Name>,
    before: Option<&Contents>,
) -> rusqlite::Result<Contents> {
    let mut contents = Contents::default();
    let mut statement = connection.prepare(
        "select name from pragma_table_list
          where schema = 'main' and type in ('table', 'shadow') and name not like 'sqlite\\_%' escape '\\'",
    )?;
    let tables: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    // 1 is hidden, 2 and 3 are generated.
    let mut columns_of = connection.prepare("select name from pragma_table_xinfo(?1) where hidden = 0")?;
    for table in tables.iter().filter(|table| !names.is_ours(table)) {
        let columns: Vec<String> = columns_of.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let name = named(table);
        let columns = again(columns, &name, before);
        if columns.is_empty() {
            continue;
        }
        let list = |show: fn(&str) -> String| columns.iter().map(|column| show(column)).collect::<Vec<_>>().join(", ");
        let found = digest(connection, &format!("select {} from main.{}", list(quote), quote(table)))?;
        let all = match is_read(&name, found.rows, wanted) {
            true => {
                let shown = list(|column| format!("quote({})", quote(column)));
                Some(rows(connection, &format!("select {shown} from main.{}", quote(table)), columns.len())?)
            }
            false => None,
        };
        contents.tables.insert(name, Content { columns, rows: found.rows, digest: found.digest, all });
    }
    contents.counters = counters(connection)?;
    Ok(contents)
}

fn rows(connection: &Connection, sql: &str, columns: usize) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare(sql)?;
    // `quote` makes a NULL the word.
    let value = |text: Option<String>| text.filter(|text| text != "NULL");
    let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at).map(value)).collect())?;
    rows.collect()
}

/// Reads the last number of each table with `autoincrement`; what is in there is anybody's, so it may be no number.
fn counters(connection: &Connection) -> rusqlite::Result<BTreeMap<String, i64>> {
    let is_there = "select exists (select 1 from sqlite_schema where name = 'sqlite_sequence')";
    if !connection.query_row(is_there, [], |row| row.get::<_, bool>(0))? {
        return Ok(BTreeMap::new());
    }
    // A table without a line numbers from the start.
    let mut statement = connection.prepare(
        "select t.name, coalesce(max(cast(q.seq as integer)), 0)
           from sqlite_schema t
           left join sqlite_sequence q on q.name = t.name
          where t.type = 'table' and t.sql like '%autoincrement%'
          group by t.name",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
