//! Runs statements twice on SQLite.

use dbbuild::script::{Guard, Object, RunIf, Test, Text, cut};
use dbbuild::sql::Dialect;
use rusqlite::Connection;

use crate::Truth;

/// Runs the setup, then the text twice; returns what the second run did and where the first one ended.
pub fn twice(setup: &str, text: &str) -> Result<(Truth, String), String> {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(setup).map_err(|error| format!("setup: {error}"))?;
    run(&connection, text)?;
    let first = state(&connection);
    if run(&connection, text).is_err() {
        return Ok((Truth::Fails, first));
    }
    let second = state(&connection);
    Ok((if first == second { Truth::Nothing } else { Truth::Changes }, first))
}

fn run(connection: &Connection, text: &str) -> Result<(), String> {
    let script = Text::of_file("2.sql", text.to_owned());
    let cut = cut(&script, Dialect::Sqlite, &[]).map_err(|faults| format!("{faults:?}"))?;
    let mut groups = std::collections::BTreeMap::new();
    for part in &cut.parts {
        let runs = part.guards.iter().all(|index| {
            let guard = &cut.guards[*index].guard;
            if guard.group {
                *groups.entry(*index).or_insert_with(|| asks(connection, guard))
            } else {
                asks(connection, guard)
            }
        });
        if runs {
            connection.execute_batch(part.span.text(text)).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// Files that a history is run in; what runs again runs in a copy.
pub struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    /// Makes the folder.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn open(&self, name: &str) -> Connection {
        let connection = Connection::open(self.folder.path().join(name)).unwrap();
        connection.execute_batch("pragma foreign_keys = off; pragma synchronous = off").unwrap();
        connection
    }
}

impl super::history::Runner for Files {
    fn begin(&mut self) {
        let _absent = std::fs::remove_file(self.folder.path().join("a.db"));
        self.open("a.db").execute_batch("create table x (a); drop table x").unwrap();
    }

    fn run(&mut self, text: &str) -> Result<String, String> {
        // A script that fails leaves nothing behind.
        let (file, kept) = (self.folder.path().join("a.db"), self.folder.path().join("kept.db"));
        std::fs::copy(&file, &kept).unwrap();
        let connection = self.open("a.db");
        let result = run_or_raw(&connection, text).map(|()| state(&connection));
        drop(connection);
        if result.is_err() {
            std::fs::copy(&kept, &file).unwrap();
        }
        result
    }

    fn again(&mut self, text: &str, before: &str) -> (Truth, String) {
        std::fs::copy(self.folder.path().join("a.db"), self.folder.path().join("b.db")).unwrap();
        let connection = self.open("b.db");
        match run_or_raw(&connection, text) {
            Err(error) => (Truth::Fails, error),
            Ok(()) => {
                let state = state(&connection);
                (if state == before { Truth::Nothing } else { Truth::Changes }, state)
            }
        }
    }
}

/// Runs a script; one that the tool would refuse runs as the sqlite3 shell would run it.
fn run_or_raw(connection: &Connection, text: &str) -> Result<(), String> {
    if cut(&Text::of_file("2.sql", text.to_owned()), Dialect::Sqlite, &[]).is_ok() {
        return run(connection, text);
    }
    connection.execute_batch(text).map_err(|error| error.to_string())
}

fn asks(connection: &Connection, guard: &Guard) -> bool {
    let query = match &guard.test {
        Test::Query(query) => query.clone(),
        Test::Object(Object::Column, name) => {
            let (table, column) = name.rsplit_once('.').unwrap();
            let plain = |name: &str| name.trim_matches('"').replace('\'', "''");
            format!(
                "select 1 from pragma_table_xinfo('{}') where name = '{}' collate nocase",
                plain(table),
                plain(column)
            )
        }
        Test::Object(object, name) => {
            let (kind, name) = (object.word(), name.trim_matches('"'));
            format!("select 1 from sqlite_schema where type = '{kind}' and name = '{name}' collate nocase")
        }
    };
    let present = connection.prepare(&query).unwrap().exists([]).unwrap();
    present == (guard.run == RunIf::Present)
}

fn shown(value: rusqlite::types::ValueRef<'_>) -> String {
    match value {
        rusqlite::types::ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text)),
        other => format!("{other:?}"),
    }
}

fn state(connection: &Connection) -> String {
    let list = |query: &str| -> Vec<String> {
        let mut statement = connection.prepare(query).unwrap();
        let columns = statement.column_count();
        let read =
            |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get_ref(at).map(shown)).collect::<Result<Vec<_>, _>>();
        let rows = statement.query_map([], read).unwrap();
        rows.map(|row| row.unwrap().join(",")).collect()
    };
    let mut all = list("select type || ' ' || name || ' ' || coalesce(sql, '') from sqlite_schema order by type, name");
    // A full-text index keeps its rows in tables of its own, in its own order.
    let tables = "select name from pragma_table_list where schema = 'main' and type in ('table', 'virtual') and name not like 'sqlite_schema' order by 1";
    let mut names = connection.prepare(tables).unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for name in names {
        // Rows that are ignored move a counter on as well.
        let mut rows = match name.as_str() {
            "sqlite_sequence" => list("select name, count(*) from sqlite_sequence group by 1"),
            _ => list(&format!("select * from \"{name}\"")),
        };
        rows.sort();
        all.push(name);
        all.extend(rows);
    }
    // The text of a table keeps its author's case and layout, which a guard changes.
    all.join("\n").replace("IF NOT EXISTS ", "").replace("if not exists ", "")
}
