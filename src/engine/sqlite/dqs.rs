//! Double-quoted string literals: `where state = "open"`, an old mistake that SQLite forgives
//! (<https://sqlite.org/quirks.html#dblquote>) and that hides misspelt column names.
//!
//! They are off. On a database whose own views, triggers, tables or indexes would not work without them they
//! stay on.

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::names::quote;

/// Names of objects that need double-quoted string literals (a few of them).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// Views and triggers.
    pub statements: Vec<String>,
    /// Tables and indexes.
    pub definitions: Vec<String>,
}

struct Object {
    kind: String,
    name: String,
    table: String,
    sql: String,
}

/// Leaves double-quoted string literals on for what needs them in this database.
pub(super) fn allow_what_is_there(connection: &Connection) -> rusqlite::Result<Needs> {
    let candidates = candidates(connection)?;
    let mut needs = Needs::default();
    for object in &candidates {
        match object.kind.as_str() {
            "view" | "trigger" if needs_them(connection, object)? => needs.statements.push(object.name.clone()),
            "table" | "index" if defines_with_them(object)? => needs.definitions.push(object.name.clone()),
            _ => {}
        }
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, !needs.statements.is_empty())?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, !needs.definitions.is_empty())?;
    Ok(needs)
}

/// Runs work with double-quoted string literals on, if its text asks for them; behind it they are as before.
pub(super) fn while_asked<T>(connection: &Connection, is_asked: bool, work: impl FnOnce() -> T) -> rusqlite::Result<T> {
    if !is_asked {
        return Ok(work());
    }
    let switches = [DbConfig::SQLITE_DBCONFIG_DQS_DML, DbConfig::SQLITE_DBCONFIG_DQS_DDL];
    let before = [connection.db_config(switches[0])?, connection.db_config(switches[1])?];
    for switch in switches {
        connection.set_db_config(switch, true)?;
    }
    let done = work();
    for (switch, was_on) in switches.into_iter().zip(before) {
        connection.set_db_config(switch, was_on)?;
    }
    Ok(done)
}

/// Only a definition with a double quote in it can hold such a literal. An index needs its table to be tried.
fn candidates(connection: &Connection) -> rusqlite::Result<Vec<Object>> {
    let mut statement = connection.prepare(
        "select s.type, s.name, s.tbl_name,
                case when s.type = 'index' then t.sql || ';' || s.sql else s.sql end
           from sqlite_schema s
           left join sqlite_schema t on s.type = 'index' and t.type = 'table' and t.name = s.tbl_name
          where instr(s.sql, '\"') > 0
            and s.sql not like 'create virtual table%'",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Object { kind: row.get(0)?, name: row.get(1)?, table: row.get(2)?, sql: row.get(3)? })
    })?;
    rows.collect()
}

/// Compiles statements that use the view or fire the trigger, and runs none of them.
fn needs_them(connection: &Connection, object: &Object) -> rusqlite::Result<bool> {
    let name = quote(&object.table);
    let probes = match object.kind.as_str() {
        "view" => vec![format!("select * from {name}")],
        _ => {
            let mut probes = vec![format!("delete from {name}"), format!("insert into {name} default values")];
            probes.extend(columns(connection, &object.table)?.iter().map(|column| {
                let column = quote(column);
                format!("update {name} set {column} = {column}")
            }));
            probes
        }
    };
    for probe in &probes {
        let compiles = |on| -> rusqlite::Result<bool> {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, on)?;
            Ok(connection.prepare(probe).is_ok())
        };
        if !compiles(false)? && compiles(true)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("select name from pragma_table_info(?1)")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    names.collect()
}

/// Runs the definition in an empty database in memory, with and without.
fn defines_with_them(object: &Object) -> rusqlite::Result<bool> {
    let works = |on| -> rusqlite::Result<bool> {
        let empty = Connection::open_in_memory()?;
        empty.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, on)?;
        Ok(empty.execute_batch(&object.sql).is_ok())
    };
    Ok(!works(false)? && works(true)?)
}
