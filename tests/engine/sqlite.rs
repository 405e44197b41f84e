//! A SQLite file as the cases see it, through a connection of their own.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::ValueRef;

pub struct File(pub PathBuf);

impl File {
    pub fn connect(&self) -> Connection {
        let connection = Connection::open(&self.0).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
        connection
    }

    pub fn ask(&self, query: &str) -> String {
        let connection = self.connect();
        let mut statement = connection.prepare(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> = (0..columns).map(|at| shown(row.get_ref(at).unwrap())).collect();
            lines.push(values.join("|"));
        }
        lines.join("\n")
    }

    /// Everything in the database, as text: what is the same before and after was not touched.
    pub fn content(&self) -> String {
        if !self.0.exists() {
            return "no database".to_owned();
        }
        let mut text = self.ask("select type, name, sql from sqlite_schema order by type, name");
        for table in self.ask("select name from sqlite_schema where type = 'table' order by name").lines() {
            let rows = self.ask(&format!("select * from \"{table}\""));
            let mut rows: Vec<&str> = rows.lines().collect();
            rows.sort_unstable();
            text += &format!("\n{table}\n{}", rows.join("\n"));
        }
        text
    }

    pub fn tables(&self) -> String {
        self.ask(
            "select name from sqlite_schema
              where type = 'table' and name not like 'dbbuild_%' and name not like 'sqlite_%' order by name",
        )
        .replace('\n', " ")
    }
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// Returns the files of a database: SQLite may leave a journal or a log beside it.
pub fn files(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    ["", "-journal", "-wal", "-shm"]
        .into_iter()
        .map(|suffix| PathBuf::from(format!("{}{suffix}", path.display())))
        .filter(|path| path.exists())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}
