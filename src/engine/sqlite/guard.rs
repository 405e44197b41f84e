//! Guards: tests that are asked just before a statement, or once before a group of them.
//!
//! What is asked of the catalog, for each kind of object; names are compared as SQLite compares them:
//!
//! * `table t`: a table or virtual table of that name in `main`; `temp.t` asks the temporary ones.
//! * `index i`, `view v`, `trigger r`: the same for their kind.
//! * `column t.c`: a column of the table or view, generated and hidden ones included (`pragma_table_xinfo`).
//! * `query SELECT …`: present if the first row's first column is neither NULL, nor 0, nor empty.
//!
//! The other kinds are not SQLite's, or cannot be asked for reliably, and are refused before anything runs.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::run::{failed, refused};
use crate::engine::{EngineError, Part, PlacedGuard, Result, Unit};
use crate::script::{Guard, Object, RunIf, Test};
use crate::sql::{Dialect, Name, Tokens, quote_literal};

/// Refuses guards that SQLite cannot answer. Nothing has run.
pub(super) fn refuse_unanswerable(units: &[Unit]) -> Result<()> {
    for unit in units {
        for placed in &unit.guards {
            let place = || Some(unit.text.place(placed.span));
            let Test::Object(kind, written) = &placed.guard.test else { continue };
            let refusal = |code, message, hint| Err(EngineError::Refused { code, message, place: place(), hint });
            if let Err(hint) = catalog_type(*kind) {
                let message = format!("SQLite cannot be asked for a {}", kind.word());
                return refusal("guard/unanswerable", message, Some(hint.to_owned()));
            }
            if name(*kind, written).is_none() {
                let message = format!("{written:?} is not the name of a {}", kind.word());
                return refusal("guard/name", message, Some(form(*kind).to_owned()));
            }
        }
    }
    Ok(())
}

/// Returns the word in the catalog for a kind, or what to write instead.
fn catalog_type(kind: Object) -> std::result::Result<&'static str, &'static str> {
    match kind {
        Object::Table => Ok("table"),
        Object::Index => Ok("index"),
        Object::View => Ok("view"),
        Object::Trigger => Ok("trigger"),
        Object::Column => Ok("column"),
        Object::Constraint => {
            Err("SQLite has no catalog of constraints: guard by what came with it, an index or a column, or use \
             `unless query SELECT …`")
        }
        Object::Schema => Err(
            "SQLite has no schemas; the name of an attached database is `unless query SELECT 1 FROM pragma_database_list WHERE name = '…'`",
        ),
        Object::Function => Err(
            "functions come from the program; ask with `unless query SELECT 1 FROM pragma_function_list WHERE name = '…'`",
        ),
        Object::Type | Object::Role | Object::Sequence | Object::Extension | Object::Policy => {
            Err("SQLite has none; name the statement's file `.postgres.sql`, or use `unless query SELECT …`")
        }
    }
}

fn form(kind: Object) -> &'static str {
    match kind {
        Object::Column => "write `column table.column`",
        _ => "write its name, with `main.` or `temp.` in front if need be",
    }
}

/// A name as a guard asks for it.
struct Asked {
    schema: String,
    object: String,
    column: String,
}

fn name(kind: Object, written: &str) -> Option<Asked> {
    let mut tokens = Tokens::of(written, Dialect::Sqlite);
    let (name, _) = tokens.eat_name()?;
    if tokens.peek().is_some() {
        return None;
    }
    let parts = Name::parts(&name);
    let (column, parts) = match kind {
        Object::Column => parts.split_last().map(|(column, rest)| (column.clone(), rest))?,
        _ => (String::new(), parts),
    };
    match parts {
        [object] => Some(Asked { schema: "main".to_owned(), object: object.clone(), column }),
        [schema, object] => Some(Asked { schema: schema.clone(), object: object.clone(), column }),
        _ => None,
    }
}

/// What the guards of one unit have said so far: a group's guard is asked once.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// By the group's first statement: whether it is entered.
    pub groups: BTreeMap<usize, bool>,
}

impl Answers {
    /// Returns whether a statement may run, by all of its guards.
    pub fn let_run(&mut self, connection: &Connection, units: &[Unit], at: usize, index: usize) -> Result<bool> {
        let unit = &units[at];
        let Some(part) = unit.parts.get(index) else { return Ok(false) };
        for number in &part.guards {
            let Some(placed) = unit.guards.get(*number) else { continue };
            let runs = if placed.guard.group {
                let first = first_of_group(&unit.parts, *number, index);
                match self.groups.get(&first) {
                    Some(entered) => *entered,
                    None => {
                        let entered = asks(connection, units, at, placed)?;
                        self.groups.insert(first, entered);
                        entered
                    }
                }
            } else {
                asks(connection, units, at, placed)?
            };
            if !runs {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Returns the first statement that a guard stands in front of.
fn first_of_group(parts: &[Part], guard: usize, index: usize) -> usize {
    parts.iter().position(|part| part.guards.contains(&guard)).unwrap_or(index)
}

fn asks(connection: &Connection, units: &[Unit], at: usize, placed: &PlacedGuard) -> Result<bool> {
    let wrong = |error: rusqlite::Error| failed(units, at, placed.span, &error);
    let present = match &placed.guard.test {
        Test::Query(query) => {
            let mut statement =
                connection.prepare(query).map_err(|error| failed_query(units, at, placed, query, &error))?;
            if !statement.readonly() || statement.column_count() == 0 {
                let message = "a guard asks; this query changes something".to_owned();
                return Err(refused(units, at, placed.span, "SQLITE_READONLY", message, Some("write a SELECT")));
            }
            let mut rows = statement.raw_query();
            match rows.next().map_err(wrong)? {
                Some(row) => says_yes(row.get_ref(0).map_err(wrong)?),
                None => false,
            }
        }
        Test::Object(kind, written) => match name(*kind, written) {
            Some(asked) => is_there(connection, *kind, &asked).map_err(wrong)?,
            None => false,
        },
    };
    Ok(match placed.guard.run {
        RunIf::Absent => !present,
        RunIf::Present => present,
    })
}

fn says_yes(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Null => false,
        ValueRef::Integer(number) => number != 0,
        ValueRef::Real(number) => number != 0.0,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => !bytes.is_empty(),
    }
}

fn failed_query(units: &[Unit], at: usize, placed: &PlacedGuard, query: &str, error: &rusqlite::Error) -> EngineError {
    // The query stands at the end of the directive.
    let directive = placed.span.text(units[at].text.as_str());
    let start = directive.rfind(query).map_or(placed.span.start, |offset| placed.span.start + offset);
    failed(units, at, crate::sql::Span::new(start, placed.span.end), error)
}

fn is_there(connection: &Connection, kind: Object, asked: &Asked) -> rusqlite::Result<bool> {
    if kind != Object::Column && !matches!(asked.schema.as_str(), "main" | "temp") {
        let attached = "select exists (select 1 from pragma_database_list where name = ?1 collate nocase)";
        if !connection.query_row(attached, [&asked.schema], |row| row.get(0))? {
            return Ok(false);
        }
    }
    connection.query_row(&format!("select {}", question(kind, asked)), [], |row| row.get(0))
}

/// Returns the expression that is true where an object is there.
fn question(kind: Object, asked: &Asked) -> String {
    let literal = |text: &str| quote_literal(Dialect::Sqlite, text);
    let (schema, object, column) = (literal(&asked.schema), literal(&asked.object), literal(&asked.column));
    if kind == Object::Column {
        return format!(
            "exists (select 1 from pragma_table_xinfo({object}, {schema}) where name = {column} collate nocase)"
        );
    }
    let catalog = match asked.schema.as_str() {
        "main" => "sqlite_schema".to_owned(),
        "temp" => "sqlite_temp_schema".to_owned(),
        other => format!("{}.sqlite_schema", super::names::quote(other)),
    };
    let word = literal(catalog_type(kind).unwrap_or_default());
    format!("exists (select 1 from {catalog} where type = {word} and name = {object} collate nocase)")
}

/// Returns the expression that is true where a guard lets its statements run, for who cannot ask here and now. A query
/// has one column in it.
pub(super) fn lets_run(guard: &Guard) -> String {
    let present = match &guard.test {
        Test::Object(kind, written) => name(*kind, written).map_or("0".to_owned(), |asked| question(*kind, &asked)),
        Test::Query(query) => format!(
            "coalesce((select case when typeof(said) in ('integer', 'real') then said <> 0 else cast(said as blob) <> x'' end\n  \
             from (select (\n{query}\n) as said)), 0)"
        ),
    };
    match guard.run {
        RunIf::Absent => format!("not {present}"),
        RunIf::Present => present,
    }
}
