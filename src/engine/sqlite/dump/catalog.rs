//! The objects of a database that belong to its project, in the order in which they are written.

use rusqlite::Connection;

use crate::engine::sqlite::names::{Names, quote};
use crate::sql::{Dialect, Tokens};

/// A table or virtual table.
#[derive(Debug)]
pub(crate) struct Table {
    pub name: String,
    /// The definition as SQLite keeps it.
    pub sql: String,
    /// The module of a virtual table.
    pub module: Option<String>,
    /// Columns that take values, in their order.
    pub columns: Vec<String>,
    /// Columns of the primary key, in its order.
    pub key: Vec<String>,
    /// A name of the rowid that no column has taken; `None` also for tables WITHOUT ROWID.
    pub rowid: Option<&'static str>,
}

/// Everything that makes up a schema.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    /// By name, virtual ones behind the others, whose rows they may need.
    pub tables: Vec<Table>,
    /// Definitions: indexes by table, views by name, triggers by table in the order in which they were made, which
    /// is the order in which they fire.
    pub others: Vec<String>,
}

struct Object {
    kind: String,
    name: String,
    table: String,
    sql: String,
    /// `table`, `virtual`, `shadow` or `view`, for tables and views.
    list: String,
    without_rowid: bool,
}

/// Reads the catalog, without dbbuild's own tables, SQLite's, and the shadows of virtual tables.
pub(crate) fn read(connection: &Connection, names: &Names) -> rusqlite::Result<Catalog> {
    read_without(connection, names, &[])
}

/// Reads the catalog without some tables too, named in lower case, and what hangs on them.
pub(crate) fn read_without(connection: &Connection, names: &Names, without: &[&str]) -> rusqlite::Result<Catalog> {
    let mut statement = connection.prepare(
        // The list is kept, and so gets an index: asked for each object it would be made each time.
        "with list as materialized (select name, type, wr from pragma_table_list where schema = 'main')
         select s.type, s.name, s.tbl_name, s.sql, coalesce(list.type, ''), coalesce(list.wr, 0)
           from sqlite_schema as s
           left join list on list.name = s.name and s.type in ('table', 'view')
          where s.sql is not null and s.name not like 'sqlite\\_%' escape '\\'
          order by case s.type when 'table' then 0 when 'index' then 1 when 'view' then 2 else 3 end,
                   list.type = 'virtual',
                   s.tbl_name collate binary,
                   s.rowid",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Object {
            kind: row.get(0)?,
            name: row.get(1)?,
            table: row.get(2)?,
            sql: row.get(3)?,
            list: row.get(4)?,
            without_rowid: row.get(5)?,
        })
    })?;
    let mut catalog = Catalog::default();
    for object in rows {
        let object = object?;
        let is_left_out = without.iter().any(|name| name.eq_ignore_ascii_case(&object.table));
        if is_left_out || object.list == "shadow" || names.is_ours(&object.name) || names.is_ours(&object.table) {
            continue;
        }
        match object.kind.as_str() {
            "table" => catalog.tables.push(table(connection, object)?),
            _ => catalog.others.push(object.sql),
        }
    }
    Ok(catalog)
}

fn table(connection: &Connection, object: Object) -> rusqlite::Result<Table> {
    let mut statement = connection.prepare("select name, hidden, pk from pragma_table_xinfo(?1) order by cid")?;
    let columns = statement.query_map([&object.name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let columns: Vec<(String, i64, i64)> = columns.collect::<rusqlite::Result<_>>()?;
    let is_column = |name: &str| columns.iter().any(|(column, _, _)| column.eq_ignore_ascii_case(name));
    let rowid = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_column(name) && !object.without_rowid);
    let mut key: Vec<(i64, String)> =
        columns.iter().filter(|(_, _, place)| *place > 0).map(|(name, _, place)| (*place, name.clone())).collect();
    key.sort();
    Ok(Table {
        module: (object.list == "virtual").then(|| module(&object.sql)),
        // Hidden ones belong to a virtual table's module; 2 and 3 are generated
        // (https://sqlite.org/pragma.html#pragma_table_xinfo).
        columns: columns.iter().filter(|(_, hidden, _)| *hidden == 0).map(|(name, _, _)| name.clone()).collect(),
        key: key.into_iter().map(|(_, name)| name).collect(),
        rowid,
        name: object.name,
        sql: object.sql,
    })
}

/// Returns the module's name, lower-case: what stands behind USING.
fn module(sql: &str) -> String {
    let mut tokens = Tokens::of(sql, Dialect::Sqlite);
    tokens.skip_past("using");
    tokens.eat_name().map(|(name, _)| name.object().to_owned()).unwrap_or_default()
}

impl Table {
    /// Returns what orders its rows: the primary key byte by byte, else the order of insertion.
    pub fn order(&self) -> String {
        let mut parts: Vec<String> = self.key.iter().map(|name| format!("{} collate binary", quote(name))).collect();
        parts.extend(self.rowid.map(str::to_owned));
        if parts.is_empty() {
            parts = self.columns.iter().map(|name| format!("{} collate binary", quote(name))).collect();
        }
        parts.join(", ")
    }

    /// Returns the name of its file of rows: lower-case letters, digits, `_` and `-` as they are, every other byte
    /// percent-encoded, so that names that differ by case are different files on every file system.
    pub fn file_name(&self) -> String {
        let device = ["con", "prn", "aux", "nul"].contains(&self.name.as_str())
            || (self.name.len() == 4 && ["com", "lpt"].iter().any(|name| self.name.starts_with(name)));
        let mut file = String::new();
        for (at, byte) in self.name.bytes().enumerate() {
            // Windows keeps the names of devices for itself, whatever stands behind the dot.
            let plain = byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
            if plain && !(device && at == 0) {
                file.push(char::from(byte));
            } else {
                file.push_str(&format!("%{byte:02X}"));
            }
        }
        file + ".sql"
    }
}
