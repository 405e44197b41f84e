//! What can be read back of a virtual table. Its shadow tables are its own business: how an index is stored
//! depends on how it came about.

use rusqlite::Connection;

use super::catalog::Table;
use super::refused;
use crate::engine::sqlite::error::doing;
use crate::engine::sqlite::names::quote;
use crate::engine::{EngineError, Result};
use crate::sql::{Dialect, Lexer, TokenKind};

/// How the content of a virtual table is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// It shows what others hold.
    None,
    /// Row by row, with the rowid.
    Rows,
    /// Row by row; the id is a column.
    RowsWithId,
    /// From the table that holds the content.
    Rebuild,
}

/// Says how, or refuses what cannot be read back.
pub(super) fn content(connection: &Connection, table: &Table, module: &str) -> Result<Content> {
    match module {
        "fts5vocab" | "fts4aux" | "fts3tokenize" => Ok(Content::None),
        "fts5" | "fts4" | "fts3" => match option(&table.sql, "content").as_deref() {
            None => Ok(Content::Rows),
            Some(_) if indexes_nothing(connection, table, module)? => Ok(Content::None),
            Some("") => Err(unreadable(table, "keeps no content that could be read back (content='')")),
            Some(_) => Ok(Content::Rebuild),
        },
        "rtree" | "rtree_i32" => Ok(Content::RowsWithId),
        other => Err(unreadable(table, &format!("is of the module {other}, which dbbuild cannot read back"))),
    }
}

/// Whether a full-text index is as it was made: whoever kept its content elsewhere never filled it, and a rebuild
/// would.
fn indexes_nothing(connection: &Connection, table: &Table, module: &str) -> Result<bool> {
    // Up to 10 are the averages and the structure: <https://sqlite.org/fts5.html#fts5_data_format>
    let (shadow, condition) = if module == "fts5" { ("data", "id > 10") } else { ("segdir", "true") };
    let shadow = quote(&format!("{}_{shadow}", table.name));
    let sql = format!("select not exists (select 1 from {shadow} where {condition})");
    connection.query_row(&sql, [], |row| row.get(0)).map_err(doing("reading a full-text index"))
}

fn unreadable(table: &Table, why: &str) -> EngineError {
    refused("baseline/virtual-table", format!("the virtual table {} {why}", table.name))
}

/// Returns the value of `name=value` among a module's arguments.
fn option(sql: &str, name: &str) -> Option<String> {
    let tokens: Vec<&str> = Lexer::new(sql, Dialect::Sqlite)
        .map_while(std::result::Result::ok)
        .filter(|token| !token.kind.is_trivia() && token.kind != TokenKind::Semicolon)
        .map(|token| token.span.text(sql))
        .collect();
    let at = tokens.windows(3).position(|window| {
        matches!(window[0], "(" | ",") && window[1].eq_ignore_ascii_case(name) && window[2].starts_with('=')
    })?;
    let value = tokens.get(at + 3).copied().unwrap_or_default();
    let ends = matches!(value, "," | ")");
    Some(if ends { String::new() } else { value.trim_matches(['\'', '"', '`', '[', ']']).to_owned() })
}

/// Returns the statements that set an FTS5 table's own settings, which live in a shadow table.
pub(super) fn settings(connection: &Connection, table: &Table) -> Result<Vec<String>> {
    let known = doing("reading the settings of a full-text index");
    let shadow = quote(&format!("{}_config", table.name));
    let sql = format!("select k, quote(v) from {shadow} where k <> 'version' order by k");
    let mut statement = connection.prepare(&sql).map_err(&known)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(&known)?;
    let name = quote(&table.name);
    rows.map(|row| {
        let (key, value): (String, String) = row.map_err(&known)?;
        Ok(format!("INSERT INTO {name} ({name}, \"rank\") VALUES ('{}', {value});\n", key.replace('\'', "''")))
    })
    .collect()
}
