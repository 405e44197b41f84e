//! Rows of a fresh build, and the rows of another database that have the same keys.

use std::collections::BTreeSet;

use postgres::types::ToSql;
use postgres::{Client, Row as Answer, SimpleQueryMessage};

use crate::engine::catalog::{Row, TableRows};
use crate::engine::postgres::connect::Connector;
use crate::engine::postgres::dump::{self, own};
use crate::engine::postgres::inspect::project_schemas;
use crate::engine::postgres::journal::Journal;
use crate::engine::postgres::quote::{ident, literal, qualified};
use crate::engine::{EngineError, Result};
use crate::sql::Name;

/// How many tables are read with one message.
const TOGETHER: usize = 50;

/// Tables with rows, one row for each column. A column whose default is worked out (a time, a number, a random key)
/// has another value in each build, so it tells nothing; a key that is random is none.
fn tables(condition: &str) -> String {
    format!(
        "select c.oid, array[n.nspname, c.relname]::text[] as name, quote_ident(a.attname) as column_name,
                format_type(a.atttypid, a.atttypmod) as type,
                array_position(i.indkey::int2[], a.attnum) as key,
                a.attidentity <> '' or a.attgenerated <> ''
                    or coalesce(pg_get_expr(d.adbin, d.adrelid) ~ '[(]|CURRENT_|LOCALTIME', false) as is_worked_out,
                coalesce(pg_get_expr(d.adbin, d.adrelid) ~* 'uuid|random', false) as is_random
           from pg_class c
           join pg_namespace n on n.oid = c.relnamespace
           join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
           left join pg_index i on i.indrelid = c.oid and i.indisprimary
          where c.relkind = 'r' and {condition}
            and not exists (
                select from pg_depend e
                 where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
            )
          order by c.oid, a.attnum"
    )
}

/// Reads the rows of all tables of a database that holds nothing but what scripts, code and seeds put there.
pub(in crate::engine::postgres) fn seeded(
    client: &mut Client,
    connector: &Connector,
    journal: &Journal,
) -> Result<Vec<TableRows>> {
    snapshot(client, connector, |client| {
        let sql = own(connector, "reading rows");
        let condition = project_schemas(&connector.target.schemas, journal);
        let columns = client.query(&tables(&condition), &[]).map_err(&sql)?;
        let mut found = fill(client, shapes(&columns, Columns::Given)).map_err(&sql)?;
        found.retain(|table| !table.rows.is_empty());
        found.sort_by(|one, other| one.table.cmp(&other.table));
        Ok(found)
    })
}

/// Reads the rows of tables with every column, inside a transaction whose settings are changed.
pub(in crate::engine::postgres) fn whole(
    client: &mut Client,
    connector: &Connector,
    names: &BTreeSet<Name>,
) -> Result<Vec<TableRows>> {
    let sql = own(connector, "reading rows");
    client.batch_execute(dump::SETTINGS).map_err(&sql)?;
    let pair = |name: &Name| format!("({}, {})", literal(name.schema().unwrap_or("public")), literal(name.object()));
    let pairs: Vec<String> = names.iter().map(pair).collect();
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let columns = tables(&format!("(n.nspname, c.relname) in ({})", pairs.join(", ")));
    let columns = client.query(&columns, &[]).map_err(&sql)?;
    fill(client, shapes(&columns, Columns::All)).map_err(&sql)
}

/// Which columns of a table are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Columns {
    /// Those whose values are given: what is worked out has another value in each build.
    Given,
    /// Every one.
    All,
}

/// Returns the tables of these columns, without their rows.
fn shapes(columns: &[Answer], wanted: Columns) -> Vec<TableRows> {
    let of_one_table = |one: &Answer, other: &Answer| one.get::<_, u32>("oid") == other.get::<_, u32>("oid");
    columns.chunk_by(of_one_table).map(|group| shape(group, wanted)).collect()
}

/// Reads the rows of tables, many tables in one message.
fn fill(client: &mut Client, mut tables: Vec<TableRows>) -> std::result::Result<Vec<TableRows>, postgres::Error> {
    for tables in tables.chunks_mut(TOGETHER) {
        let query = |table: &TableRows| format!("select {} from only {} t", texts(table), from(&table.table));
        let has_columns = |table: &&mut TableRows| !table.columns.is_empty();
        let mut filled: Vec<&mut TableRows> = tables.iter_mut().filter(has_columns).collect();
        let message = filled.iter().map(|table| query(table)).collect::<Vec<_>>().join(";\n");
        let mut filled = filled.iter_mut();
        let mut rows = Vec::new();
        for answer in client.simple_query(&message)? {
            match answer {
                SimpleQueryMessage::Row(row) => {
                    rows.push((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect::<Row>());
                }
                SimpleQueryMessage::CommandComplete(_) => {
                    rows.sort();
                    if let Some(table) = filled.next() {
                        table.rows = std::mem::take(&mut rows);
                    }
                }
                _ => {}
            }
        }
    }
    Ok(tables)
}

/// Reads the rows that have the same keys as these, or nothing where they cannot be read: no such table, no such
/// column, no right.
pub(in crate::engine::postgres) fn rows_like(
    client: &mut Client,
    connector: &Connector,
    wanted: &TableRows,
) -> Result<Option<Vec<Row>>> {
    told(snapshot(client, connector, |client| matching(client, connector, wanted)))
}

/// The same, inside a transaction that is open.
pub(in crate::engine::postgres) fn rows_like_inside(
    client: &mut Client,
    connector: &Connector,
    wanted: &TableRows,
) -> Result<Option<Vec<Row>>> {
    told(super::inside(client, connector, |client| {
        client.batch_execute(dump::SETTINGS).map_err(own(connector, "reading rows"))?;
        // Whoever owns the tables reads them: the login need not be able to.
        if let Some(role) = &connector.target.owner_role {
            let role = format!("set local role {}", ident(role));
            client.batch_execute(&role).map_err(own(connector, "reading rows"))?;
        }
        matching(client, connector, wanted)
    }))
}

fn told(read: Result<Vec<Row>>) -> Result<Option<Vec<Row>>> {
    match read {
        Ok(rows) => Ok(Some(rows)),
        Err(EngineError::Sql { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

fn matching(client: &mut Client, connector: &Connector, wanted: &TableRows) -> Result<Vec<Row>> {
    let keys: Vec<Vec<Option<&str>>> = (0..wanted.key)
        .map(|at| wanted.rows.iter().map(|row| row.get(at).and_then(Option::as_deref)).collect())
        .collect();
    let numbered =
        |text: &dyn Fn(usize) -> String, between: &str| (0..wanted.key).map(text).collect::<Vec<_>>().join(between);
    let column = |at: usize| wanted.columns.get(at).map_or("", String::as_str);
    let kind = |at: usize| wanted.types.get(at).map_or("text", String::as_str);
    let arrays = numbered(&|at| format!("${}::text[]", at + 1), ", ");
    let names = numbered(&|at| format!("k{at}"), ", ");
    let all = wanted.key == wanted.columns.len();
    let equal = match all {
        // A row as a whole may hold NULL, and types that cannot be compared. As one text it can still be hashed.
        true => {
            let there = numbered(&|at| format!("t.{}::text", column(at)), ", ");
            format!("row({there})::text = row({names})::text")
        }
        false => numbered(&|at| format!("t.{} = k{at}::{}", column(at), kind(at)), " and "),
    };
    let query = format!(
        "select {} from only {} t where exists (select from unnest({arrays}) as k({names}) where {equal})",
        texts(wanted),
        from(&wanted.table)
    );
    let parameters: Vec<&(dyn ToSql + Sync)> = keys.iter().map(|key| key as &(dyn ToSql + Sync)).collect();
    let rows = client.query(&query, &parameters).map_err(own(connector, "reading rows"))?;
    Ok(rows.iter().map(row).collect())
}

fn snapshot<T>(client: &mut Client, connector: &Connector, work: impl FnOnce(&mut Client) -> Result<T>) -> Result<T> {
    let sql = own(connector, "reading rows");
    client.batch_execute("begin isolation level repeatable read read only").map_err(&sql)?;
    let read = client.batch_execute(dump::SETTINGS).map_err(&sql).and_then(|()| work(client));
    // It only read; and if the connection broke, then `read` says so.
    let ended = client.batch_execute("rollback").map_err(&sql);
    let value = read?;
    ended?;
    Ok(value)
}

/// Takes a table's columns, those of the key first.
fn shape(columns: &[Answer], wanted: Columns) -> TableRows {
    let key = |column: &Answer| column.get::<_, Option<i32>>("key");
    let has_key = columns.iter().any(|column| key(column).is_some())
        && (wanted == Columns::All || !columns.iter().any(|column| key(column).is_some() && column.get("is_random")));
    let mut chosen: Vec<&Answer> = columns
        .iter()
        .filter(|column| {
            wanted == Columns::All || (has_key && key(column).is_some()) || !column.get::<_, bool>("is_worked_out")
        })
        .collect();
    chosen.sort_by_key(|column| if has_key { key(column).unwrap_or(i32::MAX) } else { 0 });
    let keys = chosen.iter().filter(|column| has_key && key(column).is_some()).count();
    let name: Vec<String> = columns.first().map(|column| column.get("name")).unwrap_or_default();
    TableRows {
        table: Name::new(name),
        columns: chosen.iter().map(|column| column.get("column_name")).collect(),
        types: chosen.iter().map(|column| column.get("type")).collect(),
        key: if has_key { keys } else { chosen.len() },
        rows: Vec::new(),
    }
}

fn from(table: &Name) -> String {
    qualified(table.parts().iter().map(String::as_str))
}

fn texts(table: &TableRows) -> String {
    table.columns.iter().map(|column| format!("t.{column}::text")).collect::<Vec<_>>().join(", ")
}

fn row(answer: &Answer) -> Row {
    (0..answer.len()).map(|at| answer.get(at)).collect()
}
