//! Emptying a database, object by object, in one transaction.

use rusqlite::Connection;

use super::database::Database;
use super::error::doing;
use super::foreign_keys::turn;
use super::names::quote;
use super::transaction;
use crate::engine::Result;

/// Drops everything, the journal included.
pub(super) fn reset(connection: &Connection, database: &Database) -> Result<()> {
    turn(connection, false)?;
    let result = transaction::within(connection, database, drop_all);
    result.and(turn(connection, true))
}

fn drop_all(connection: &Connection) -> Result<()> {
    // Shadow tables go with their virtual tables, and may not be dropped themselves.
    let mut statement = connection
        .prepare(
            // The list is a virtual table: read once, not once an object.
            "with list as materialized (
                 select name, type from pragma_table_list where schema = 'main'
             )
             select s.type, s.name
               from sqlite_schema as s
               left join list on list.name = s.name and s.type in ('table', 'view')
              where s.type in ('trigger', 'view', 'table')
                and coalesce(list.type, '') <> 'shadow'
                and (s.name not like 'sqlite\\_%' escape '\\' or s.name like 'sqlite\\_stat%' escape '\\')
              order by case s.type when 'trigger' then 0 when 'view' then 1 else 2 end,
                       coalesce(list.type, '') <> 'virtual',
                       s.rowid desc",
        )
        .map_err(doing("reading the schema"))?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(doing("reading the schema"))?;
    let objects: Vec<(String, String)> = rows.collect::<rusqlite::Result<_>>().map_err(doing("reading the schema"))?;
    drop(statement);
    for (kind, name) in objects {
        let sql = format!("drop {kind} {}", quote(&name));
        connection.execute_batch(&sql).map_err(doing(&format!("dropping the {kind} {name}")))?;
    }
    let counters = "select exists (select 1 from sqlite_schema where name = 'sqlite_sequence')";
    if connection.query_row(counters, [], |row| row.get::<_, bool>(0)).map_err(doing("reading the schema"))? {
        connection.execute_batch("delete from sqlite_sequence").map_err(doing("resetting the counters"))?;
    }
    connection
        .execute_batch("pragma user_version = 0; pragma application_id = 0")
        .map_err(doing("resetting user_version and application_id"))
}
