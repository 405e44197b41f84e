//! Foreign keys off around a table rebuild: violations are counted before and after, and must not be more.
//!
//! `PRAGMA foreign_keys` does nothing inside a transaction (<https://sqlite.org/pragma.html#pragma_foreign_keys>);
//! with them on, `DROP TABLE` of a parent deletes the children that cascade.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::error::doing;
use crate::engine::Result;

/// A row without its parent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Orphan {
    table: String,
    row: Option<i64>,
    parent: String,
}

/// Rows without their parents, each with how often (rows of tables WITHOUT ROWID have no number of their own).
pub(super) type Orphans = BTreeMap<Orphan, usize>;

/// Turns foreign keys on or off. Outside a transaction.
pub(super) fn turn(connection: &Connection, on: bool) -> Result<()> {
    connection.pragma_update(None, "foreign_keys", on).map_err(doing("setting foreign_keys"))
}

/// Returns true if foreign keys are on and some of them may wait for the commit
/// (<https://sqlite.org/foreignkeys.html#fk_deferred>).
pub(super) fn keys_wait(connection: &Connection) -> Result<bool> {
    let query = "select (select foreign_keys from pragma_foreign_keys)
                    and ((select defer_foreign_keys from pragma_defer_foreign_keys)
                         or exists (select 1 from sqlite_schema where sql like '%deferr%'))";
    connection.query_row(query, [], |row| row.get(0)).map_err(doing("checking foreign keys"))
}

/// Returns the rows that have no parent; an error if a foreign key itself cannot be (a mismatch).
pub(super) fn orphans(connection: &Connection) -> rusqlite::Result<Orphans> {
    let mut statement = connection.prepare("pragma foreign_key_check")?;
    let mut rows = statement.query([])?;
    let mut orphans = Orphans::new();
    while let Some(row) = rows.next()? {
        let orphan = Orphan { table: row.get(0)?, row: row.get(1)?, parent: row.get(2)? };
        *orphans.entry(orphan).or_default() += 1;
    }
    Ok(orphans)
}

/// Names the rows that lost their parents in between; `None` if none did.
pub(super) fn worse(before: &Orphans, after: &Orphans) -> Option<String> {
    let more = |(orphan, count): (&Orphan, &usize)| {
        let grown = count.saturating_sub(before.get(orphan).copied().unwrap_or(0));
        (grown > 0).then(|| (orphan.clone(), grown))
    };
    let new: Vec<(Orphan, usize)> = after.iter().filter_map(more).collect();
    let (first, _) = new.first()?;
    let row = first.row.map_or_else(|| "a row".to_owned(), |row| format!("row {row}"));
    let total: usize = new.iter().map(|(_, count)| count).sum();
    let rest = if total > 1 { format!(" ({total} rows in all)") } else { String::new() };
    Some(format!("{row} of {} is left without its parent in {}{rest}", first.table, first.parent))
}
