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
        Test::Object(_, name) => {
            format!("select 1 from sqlite_schema where name = '{}' collate nocase", name.trim_matches('"'))
        }
    };
    let present = connection.prepare(&query).unwrap().exists([]).unwrap();
    present == (guard.run == RunIf::Present)
}

fn state(connection: &Connection) -> String {
    let list = |query: &str| -> Vec<String> {
        let mut statement = connection.prepare(query).unwrap();
        let columns = statement.column_count();
        let read = |row: &rusqlite::Row<'_>| {
            (0..columns).map(|at| row.get_ref(at).map(|value| format!("{value:?}"))).collect::<Result<Vec<_>, _>>()
        };
        let rows = statement.query_map([], read).unwrap();
        rows.map(|row| row.unwrap().join(",")).collect()
    };
    let mut all = list("select type, name, sql from sqlite_schema order by 1, 2");
    let mut names = connection.prepare("select name from sqlite_schema where type = 'table' order by 1").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for name in names.into_iter().filter(|name| name != "sqlite_sequence") {
        let mut rows = list(&format!("select * from \"{name}\""));
        rows.sort();
        all.push(name);
        all.extend(rows);
    }
    // The text of a table keeps its author's case and layout, which a guard changes.
    all.join("\n").replace("IF NOT EXISTS ", "").replace("if not exists ", "")
}
