//! Running one statement of a unit, and saying where it failed.

use rusqlite::Connection;

use super::database::Database;
use super::dqs;
use super::error::{interrupted, is_interrupt, said};
use super::hint::hint;
use crate::engine::{EngineError, Part, Result, SqlFailure, Unit, UnitFailure};
use crate::sql::{Dialect, Lexer, Span, Token, TokenKind, Tokens};

/// Runs a statement to its end, dropping the rows it returns, and returns how many rows it changed.
///
/// Only our cut is handed to SQLite, which must read it as exactly one statement.
pub(super) fn statement(
    connection: &Connection,
    database: &Database,
    units: &[Unit],
    at: usize,
    part: &Part,
) -> Result<u64> {
    let unit = &units[at];
    let before = connection.total_changes();
    database.deadline.begin(database.statement_timeout);
    let text = unit.text.as_str();
    let asked = unit.double_quoted_text;
    let stepped = dqs::while_asked(connection, asked, || step(connection, as_kept(text, part.span).text(text)));
    let stepped = stepped.map_err(Wrong::Sqlite).flatten();
    database.deadline.end();
    stepped.map_err(|wrong| match wrong {
        Wrong::Sqlite(error) if is_interrupt(&error) && !database.interrupt.is_raised() => {
            let message = format!("the statement ran longer than {:?}", database.statement_timeout);
            let hint = "raise `statement-timeout`, at the head of the file or for the target";
            refused(units, at, part.span, "SQLITE_INTERRUPT", message, Some(hint))
        }
        Wrong::Sqlite(error) => failed(units, at, part.span, &error),
        Wrong::Parameter(name) => parameter(unit, at, part.span, &name),
    })?;
    // Statements that change no rows leave `changes` as it was.
    Ok(if connection.total_changes() == before { 0 } else { connection.changes() })
}

/// Returns a statement with all that SQLite keeps of it: the schema holds the text of a `CREATE INDEX`, and of a table
/// with options, up to its semicolon, white space and comments too.
pub(super) fn as_kept(text: &str, span: Span) -> Span {
    if !Tokens::new(text, span, Dialect::Sqlite).at_word("create") {
        return span;
    }
    let mut behind =
        Lexer::part(text, Span::new(span.end, text.len()), Dialect::Sqlite).map_while(std::result::Result::ok);
    match behind.find(|token| !token.kind.is_trivia()) {
        Some(token) if token.kind == TokenKind::Semicolon => Span::new(span.start, token.span.start),
        _ => span,
    }
}

enum Wrong {
    Sqlite(rusqlite::Error),
    Parameter(String),
}

fn step(connection: &Connection, sql: &str) -> std::result::Result<(), Wrong> {
    let mut statement = connection.prepare(sql).map_err(Wrong::Sqlite)?;
    if statement.parameter_count() > 0 {
        // SQLite would take each for NULL without a word.
        let name = statement.parameter_name(1).unwrap_or("?").to_owned();
        return Err(Wrong::Parameter(name));
    }
    let mut rows = statement.raw_query();
    while rows.next().map_err(Wrong::Sqlite)?.is_some() {}
    Ok(())
}

fn parameter(unit: &Unit, at: usize, span: Span, name: &str) -> EngineError {
    let start = span.text(unit.text.as_str()).find(name).map_or(span.start, |offset| span.start + offset);
    let span = Span::new(start, start + name.len());
    let failure = SqlFailure {
        code: "SQLITE_RANGE".to_owned(),
        message: format!("{name} is a parameter, and nothing gives it a value"),
        detail: None,
        hint: Some("write the value itself; a `?` or `:` that is meant as text stands between single quotes".into()),
        context: None,
        position: Some((span.start, span.len())),
    };
    let place = Some(unit.text.place(span));
    EngineError::Unit(Box::new(UnitFailure { unit: at, failure, place, kept: None }))
}

/// Returns what SQLite said of a stretch of a unit's text, with its place.
pub(super) fn failed(units: &[Unit], at: usize, span: Span, error: &rusqlite::Error) -> EngineError {
    if is_interrupt(error) {
        return interrupted();
    }
    let said = said(error);
    let text = units[at].text.as_str();
    let precise = said.offset.map(|offset| span.start + offset).filter(|start| *start < span.end);
    let named = named(&said.failure.message, text, span);
    let failure = SqlFailure { hint: hint(&units[at], &said.failure, named.is_some()), ..said.failure };
    let span = match precise.or(named) {
        Some(start) => Span::new(start, start + word(&text[start..span.end])),
        None => Span::new(span.start, span.start + first_line(span.text(text))),
    };
    of_unit(units, at, span, failure)
}

/// Returns where the name stands that a message ends with: for `no such table: t` SQLite gives no offset.
fn named(message: &str, text: &str, span: Span) -> Option<usize> {
    let (_, name) = message.strip_prefix("no such ")?.split_once(": ")?;
    let name = name.rsplit('.').next().unwrap_or(name);
    let is_it = |token: &Token| {
        token.kind.is_identifier() && token.text(text).trim_matches(['"', '`', '[', ']']).eq_ignore_ascii_case(name)
    };
    Lexer::part(text, span, Dialect::Sqlite)
        .map_while(std::result::Result::ok)
        .find(is_it)
        .map(|token| token.span.start)
}

/// Returns the failure of a unit at a place of its text.
pub(super) fn of_unit(units: &[Unit], at: usize, span: Span, mut failure: SqlFailure) -> EngineError {
    failure.position = Some((span.start, span.len()));
    let place = Some(units[at].text.place(span));
    EngineError::Unit(Box::new(UnitFailure { unit: at, failure, place, kept: None }))
}

/// Returns the failure of a unit that something else than SQLite finds.
pub(super) fn refused(
    units: &[Unit],
    at: usize,
    span: Span,
    code: &str,
    message: String,
    hint: Option<&str>,
) -> EngineError {
    let hint = hint.map(str::to_owned);
    let failure = SqlFailure { code: code.to_owned(), message, detail: None, hint, context: None, position: None };
    of_unit(units, at, span, failure)
}

/// Returns the length of the word, or the one character, that a text begins with.
fn word(text: &str) -> usize {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    if end > 0 { end } else { text.chars().next().map_or(0, char::len_utf8) }
}

fn first_line(text: &str) -> usize {
    text.lines().next().map_or(0, |line| line.trim_end().len())
}
