//! The table that a CSV seed fills: its columns as the file names them, its key, and the statements.

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::engine::rows::Record;
use crate::engine::sqlite::error::doing;
use crate::engine::sqlite::names::quote;
use crate::engine::{EngineError, Result, RowSeed};
use crate::error::Place;
use crate::sql::{Dialect, Tokens};

/// A column that the file gives values for.
#[derive(Debug)]
pub(super) struct Column {
    pub name: String,
    /// True if its numbers are numbers: `1` and `01` are one value.
    numeric: bool,
    boolean: bool,
}

/// A table as a file sees it.
#[derive(Debug)]
pub(super) struct Table {
    /// The quoted name.
    pub sql: String,
    /// The name.
    pub name: String,
    /// The file's columns, in the file's order.
    pub columns: Vec<Column>,
    /// Indexes into the columns: those that identify a row.
    pub key: Vec<usize>,
    /// The text that means NULL, unless an empty field does.
    null: Option<String>,
}

struct Known {
    name: String,
    kind: String,
    key: i64,
    hidden: i64,
}

impl Table {
    /// Reads the table that a seed names, and matches the file's header with it.
    pub fn of(connection: &Connection, seed: &RowSeed, header: &Record) -> Result<Self> {
        let name = table_name(connection, seed)?;
        let known = known(connection, &name).map_err(doing("reading the table's columns"))?;
        let columns = columns(seed, header, &name, &known)?;
        let key = key(seed, header, &name, &known, &columns)?;
        let table = Self { sql: quote(&name), name, columns, key, null: seed.null.clone() };
        if table.has_unique_key(connection, &known).map_err(doing("reading the table's indexes"))? {
            return Ok(table);
        }
        let key = table.key_names().join(", ");
        Err(refusal(
            "seed/key-not-unique",
            format!("no unique index of {} has exactly the columns ({key}), so they do not identify a row", table.name),
            Some(header.place(&seed.file, 0)),
            Some(format!("add `create unique index … on {} ({key})`, or name another key", table.sql)),
        ))
    }

    /// Returns the names of the key's columns.
    pub fn key_names(&self) -> Vec<&str> {
        self.key.iter().map(|index| self.columns[*index].name.as_str()).collect()
    }

    /// The key's columns as `"a" is ?1 and "b" is ?2`.
    pub fn key_matches(&self) -> String {
        let parts = self.key_names().into_iter().enumerate();
        parts.map(|(index, name)| format!("{} is ?{}", quote(name), index + 1)).collect::<Vec<_>>().join(" and ")
    }

    /// The statement that writes a row: an upsert that touches only what differs, or only adds.
    pub fn insert(&self, update: bool) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| quote(&column.name)).collect();
        let values: Vec<String> = (1..=names.len()).map(|number| format!("?{number}")).collect();
        let key: Vec<String> = self.key_names().into_iter().map(quote).collect();
        let others: Vec<&String> = names.iter().filter(|name| !key.contains(name)).collect();
        let action = if update && !others.is_empty() {
            let sets: Vec<String> = others.iter().map(|name| format!("{name} = excluded.{name}")).collect();
            let differs: Vec<String> =
                others.iter().map(|name| format!("{}.{name} is not excluded.{name}", self.sql)).collect();
            format!("do update set {} where {}", sets.join(", "), differs.join(" or "))
        } else {
            "do nothing".to_owned()
        };
        format!(
            "insert into {} ({}) values ({}) on conflict ({}) {action}",
            self.sql,
            names.join(", "),
            values.join(", "),
            key.join(", ")
        )
    }

    /// Returns a field's value; `None` for NULL. Numbers go as text: the column's affinity makes them numbers.
    pub fn value<'a>(&self, record: &'a Record, index: usize) -> Option<&'a str> {
        let text = record.value(index, self.null.as_deref())?;
        Some(match text {
            _ if !self.columns[index].boolean => text,
            _ if text.eq_ignore_ascii_case("true") => "1",
            _ if text.eq_ignore_ascii_case("false") => "0",
            _ => text,
        })
    }

    /// Returns the key of a record as one text, the same for all spellings of one number; `None` if a part of it
    /// is NULL.
    pub fn key_of(&self, record: &Record) -> Option<String> {
        let parts = self.key.iter().map(|index| {
            let text = self.value(record, *index)?;
            let number = self.columns[*index].numeric.then(|| text.parse::<i64>().ok()).flatten();
            Some(number.map_or_else(|| text.to_owned(), |number| number.to_string()))
        });
        let parts: Option<Vec<String>> = parts.collect();
        parts.map(|parts| serde_json::Value::from(parts).to_string())
    }

    /// Returns the key of a row of the table in the same form.
    pub fn key_of_row(&self, values: &[Value]) -> Option<String> {
        let parts = values.iter().map(|value| match value {
            Value::Null => None,
            Value::Integer(number) => Some(number.to_string()),
            Value::Real(number) => Some(number.to_string()),
            Value::Text(text) => Some(text.clone()),
            Value::Blob(bytes) => Some(format!("{bytes:?}")),
        });
        let parts: Option<Vec<String>> = parts.collect();
        parts.map(|parts| serde_json::Value::from(parts).to_string())
    }

    /// Returns the digest of a record's content, whatever the order of its columns.
    pub fn digest_of(&self, record: &Record) -> [u8; 32] {
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by(|a, b| self.columns[*a].name.cmp(&self.columns[*b].name));
        let mut hasher = blake3::Hasher::new();
        for index in order {
            let parts = [Some(self.columns[index].name.as_str()), self.value(record, index)];
            for part in parts {
                let length = part.map_or(u64::MAX, |part| part.len() as u64);
                hasher.update(&length.to_le_bytes());
                hasher.update(part.unwrap_or_default().as_bytes());
            }
        }
        *hasher.finalize().as_bytes()
    }

    /// A key identifies a row if it is the primary key or a whole unique index has exactly its columns.
    fn has_unique_key(&self, connection: &Connection, known: &[Known]) -> rusqlite::Result<bool> {
        let mut wanted: Vec<String> = self.key_names().into_iter().map(str::to_ascii_lowercase).collect();
        wanted.sort();
        let is_key = |mut names: Vec<String>| {
            names.iter_mut().for_each(|name| name.make_ascii_lowercase());
            names.sort();
            names == wanted
        };
        if is_key(known.iter().filter(|column| column.key > 0).map(|column| column.name.clone()).collect()) {
            return Ok(true);
        }
        let mut indexes = connection.prepare(
            "select list.name from pragma_index_list(?1) as list where list.\"unique\" and not list.partial",
        )?;
        let indexes: Vec<String> =
            indexes.query_map([&self.name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut parts = connection.prepare("select coalesce(name, '') from pragma_index_info(?1)")?;
        for index in indexes {
            if is_key(parts.query_map([index], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn table_name(connection: &Connection, seed: &RowSeed) -> Result<String> {
    let mut tokens = Tokens::of(&seed.table, Dialect::Sqlite);
    let name = tokens.eat_name().map(|(name, _)| name).filter(|_| tokens.peek().is_none());
    let known = name.as_ref().filter(|name| name.schema().is_none_or(|schema| schema == "main")).map(|name| {
        let sql = "select name from sqlite_schema where type = 'table' and name = ?1 collate nocase";
        let mut statement = connection.prepare(sql)?;
        let found: Vec<String> =
            statement.query_map([name.object()], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(found.into_iter().next())
    });
    let found = known.transpose().map_err(doing("looking for the table"))?.flatten();
    found.ok_or_else(|| {
        let at = Place { file: seed.file.clone(), line: 1, column: 1, text: String::new(), width: 1 };
        let hint = "the table is the file's name after its number; the sidecar's `table` names another";
        refusal("seed/no-table", format!("there is no table {}", seed.table), Some(at), Some(hint.to_owned()))
    })
}

fn known(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Known>> {
    let mut statement = connection.prepare("select name, type, pk, hidden from pragma_table_xinfo(?1)")?;
    let rows = statement.query_map([table], |row| {
        Ok(Known { name: row.get(0)?, kind: row.get(1)?, key: row.get(2)?, hidden: row.get(3)? })
    })?;
    rows.collect()
}

fn columns(seed: &RowSeed, header: &Record, table: &str, known: &[Known]) -> Result<Vec<Column>> {
    let mut columns: Vec<Column> = Vec::new();
    for index in 0..header.len() {
        let (written, _) = header.field(index);
        let at = || Some(header.place(&seed.file, index));
        let Some(column) = known.iter().find(|column| column.name.eq_ignore_ascii_case(written)) else {
            return Err(header.no_column(index, seed, known.iter().map(|column| column.name.as_str())));
        };
        if column.hidden != 0 {
            let message = format!("{}.{} is generated and takes no values", table, column.name);
            return Err(refusal("seed/generated-column", message, at(), Some("take it out of the file".to_owned())));
        }
        if columns.iter().any(|other| other.name == column.name) {
            return Err(refusal("seed/column-twice", format!("the column {written:?} is there twice"), at(), None));
        }
        // https://sqlite.org/datatype3.html#determination_of_column_affinity
        let kind = column.kind.to_ascii_lowercase();
        let is_text = ["char", "clob", "text"].iter().any(|word| kind.contains(word));
        let numeric = kind.contains("int") || !(is_text || kind.contains("blob") || kind.is_empty() || kind == "any");
        let boolean = matches!(kind.as_str(), "bool" | "boolean");
        columns.push(Column { name: column.name.clone(), numeric, boolean });
    }
    Ok(columns)
}

fn key(seed: &RowSeed, header: &Record, table: &str, known: &[Known], columns: &[Column]) -> Result<Vec<usize>> {
    let names: Vec<String> = if seed.key.is_empty() {
        let mut parts: Vec<&Known> = known.iter().filter(|column| column.key > 0).collect();
        parts.sort_by_key(|column| column.key);
        parts.into_iter().map(|column| column.name.clone()).collect()
    } else {
        seed.key.clone()
    };
    let at = || Some(header.place(&seed.file, 0));
    if names.is_empty() {
        let hint = "give the table a primary key, or name a key in the sidecar: `key = [\"code\"]`";
        return Err(refusal("seed/no-key", format!("{table} has no primary key"), at(), Some(hint.to_owned())));
    }
    let find = |name: &String| {
        let found = columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            let message = format!("the key column {name:?} of {table} is not in the file");
            refusal("seed/key-not-in-file", message, at(), Some("add it to the header and to each row".to_owned()))
        })
    };
    names.iter().map(find).collect()
}

/// Makes a refusal.
pub(super) fn refusal(code: &'static str, message: String, place: Option<Place>, hint: Option<String>) -> EngineError {
    EngineError::Refused { code, message, place, hint }
}
