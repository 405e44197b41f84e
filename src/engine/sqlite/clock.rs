//! Another clock for a throwaway database: every function that can tell the time tells a later one, so that a build
//! that asks it comes out differently from one that did not.
//!
//! SQLite takes a function of the same name from the connection before its own, also for `CURRENT_DATE` and in
//! defaults and triggers (<https://sqlite.org/c3ref/create_function.html>). Nothing of it is in the file.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Result, params_from_iter};

use crate::engine::scratch::LATER;

/// The functions, and which of their arguments are times.
const FUNCTIONS: [(&str, &[usize]); 7] = [
    ("date", &[0]),
    ("time", &[0]),
    ("datetime", &[0]),
    ("julianday", &[0]),
    ("unixepoch", &[0]),
    ("strftime", &[1]),
    ("timediff", &[0, 1]),
];

/// The words that are functions without arguments, and what they mean.
const WORDS: [(&str, &str); 3] =
    [("current_date", "date"), ("current_time", "time"), ("current_timestamp", "datetime")];

/// Lets the connection tell another time.
pub(super) fn turn(connection: &Connection) -> Result<()> {
    // SQLite's own may stand in indexes and generated columns, so these must be able to.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    for (name, times) in FUNCTIONS {
        let own = Connection::open_in_memory()?;
        connection.create_scalar_function(name, -1, flags, move |context| answer(&own, name, times, context))?;
    }
    for (word, name) in WORDS {
        let own = Connection::open_in_memory()?;
        connection.create_scalar_function(word, 0, flags, move |_| ask(&own, name, &[later(&own)?]))?;
    }
    Ok(())
}

fn answer(own: &Connection, name: &str, times: &[usize], context: &Context<'_>) -> Result<Value> {
    let mut arguments = Vec::with_capacity(context.len() + 1);
    for at in 0..context.len() {
        let given = context.get_raw(at);
        let is_now = matches!(given, ValueRef::Text(text) if text.eq_ignore_ascii_case(b"now"));
        arguments.push(if is_now && times.contains(&at) { later(own)? } else { given.try_into()? });
    }
    // Without a time, it is now.
    if times.last() == Some(&arguments.len()) && name != "timediff" {
        arguments.push(later(own)?);
    }
    ask(own, name, &arguments)
}

fn later(own: &Connection) -> Result<Value> {
    let query = format!("select strftime('%Y-%m-%d %H:%M:%f', 'now', '+{} seconds')", LATER.as_secs());
    own.query_row(&query, [], |row| row.get(0))
}

fn ask(own: &Connection, name: &str, arguments: &[Value]) -> Result<Value> {
    let places = vec!["?"; arguments.len()].join(", ");
    own.prepare(&format!("select {name}({places})"))?.query_row(params_from_iter(arguments), |row| row.get(0))
}
