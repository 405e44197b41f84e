//! Reads the catalog. SQLite keeps what was typed, and `ALTER TABLE` edits that text, so definitions are compared
//! as tokens: comments, white space, quoting and the case of names mean nothing.

use rusqlite::Connection;

use super::error::doing;
use super::names::Names;
use crate::engine::Result;
use crate::engine::catalog::{Catalog, Object};
use crate::sql::{Dialect, Kind, Name, TokenKind, Tokens};

mod essence;
mod rows;
mod table;

pub(super) use rows::{named, rows_like, seeded, tables, whole};

pub(super) use essence::essence;

/// One row of `sqlite_schema`.
struct Stored {
    kind: String,
    name: String,
    table: String,
    sql: String,
    list: String,
}

/// Reads everything but dbbuild's own tables, SQLite's, and the shadows of virtual tables.
pub(super) fn read(connection: &Connection, names: &Names) -> Result<Catalog> {
    let known = doing("reading the catalog");
    connection.execute_batch("begin").map_err(&known)?;
    let read = within(connection, names).map_err(&known);
    connection.execute_batch("commit").map_err(&known)?;
    read
}

/// The same, inside a transaction that is open.
pub(super) fn read_inside(connection: &Connection, names: &Names) -> Result<Catalog> {
    within(connection, names).map_err(doing("reading the catalog"))
}

fn within(connection: &Connection, names: &Names) -> rusqlite::Result<Catalog> {
    let mut statement = connection.prepare(
        // The list is kept, and so gets an index: asked for each object it would be made each time.
        "with list as materialized (select name, type from pragma_table_list where schema = 'main')
         select s.type, s.name, s.tbl_name, s.sql, coalesce(list.type, '')
           from sqlite_schema as s
           left join list on list.name = s.name and s.type in ('table', 'view')
          where s.sql is not null and s.name not like 'sqlite\\_%' escape '\\'",
    )?;
    let stored = statement.query_map([], |row| {
        Ok(Stored { kind: row.get(0)?, name: row.get(1)?, table: row.get(2)?, sql: row.get(3)?, list: row.get(4)? })
    })?;
    let mut objects = settings(connection)?;
    for stored in stored {
        let stored = stored?;
        if stored.list == "shadow" || names.is_ours(&stored.name) || names.is_ours(&stored.table) {
            continue;
        }
        match (stored.kind.as_str(), stored.list.as_str()) {
            ("table", "virtual") => objects.push(plain(Kind::VirtualTable, &stored)),
            ("table", _) => objects.extend(table::objects(&stored.name, &stored.sql)),
            ("index", _) => objects.push(part(Kind::Index, &stored)),
            ("view", _) => objects.push(plain(Kind::View, &stored)),
            _ => objects.push(part(Kind::Trigger, &stored)),
        }
    }
    let mut catalog = Catalog::new(objects);
    catalog.keeps_comments = false;
    Ok(catalog)
}

/// The numbers in the file's head that applications may set.
fn settings(connection: &Connection) -> rusqlite::Result<Vec<Object>> {
    let mut objects = Vec::new();
    for name in ["user_version", "application_id"] {
        let value: i64 = connection.query_row(&format!("pragma {name}"), [], |row| row.get(0))?;
        if value != 0 {
            objects.push(Object::new(Kind::Database, Name::new([name]), format!("pragma {name} = {value}")));
        }
    }
    Ok(objects)
}

/// SQLite ignores the case of ASCII letters in names.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn plain(kind: Kind, stored: &Stored) -> Object {
    let mut object = Object::new(kind, Name::new([folded(&stored.name)]), &*stored.sql);
    object.essence = Some(essence(&stored.sql));
    object
}

/// An index or a trigger: unique in the whole database, and gone with its table.
fn part(kind: Kind, stored: &Stored) -> Object {
    Object { table: Some(Name::new([folded(&stored.table)])), ..plain(kind, stored) }
}

/// Returns what stands between the first parentheses of a definition and what stands behind them.
fn body(sql: &str) -> Option<(&str, &str)> {
    let mut tokens = Tokens::of(sql, Dialect::Sqlite);
    while let Some(token) = tokens.peek() {
        if token.kind == TokenKind::OpenParen {
            let span = tokens.eat_parens()?;
            return Some((sql.get(span.start + 1..span.end.saturating_sub(1))?, sql.get(span.end..)?));
        }
        tokens.next();
    }
    None
}
