//! What the tables of a database hold, before something runs and after: whose rows went, and which ones came.
//!
//! Promise: a row that was there and is another one afterwards, or gone, is told; so is a counter that was set back.

use std::collections::{BTreeMap, BTreeSet};

use super::Row;
use crate::sql::Name;

/// A table of more rows is known by its digest alone.
pub const MOST_ROWS: u64 = 100_000;

/// What a database's tables hold.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// By table.
    pub tables: BTreeMap<Name, Content>,
    /// By sequence, or by table that numbers its rows: the last number, negative where numbers go down.
    pub counters: BTreeMap<String, i64>,
}

/// What a table holds.
#[derive(Debug, Clone)]
pub struct Content {
    /// The columns that were read; generated ones are not.
    pub columns: Vec<String>,
    /// How many rows there are.
    pub rows: u64,
    /// Their digest, whatever their order.
    pub digest: String,
    /// The rows themselves, where they were asked for and are not too many.
    pub all: Option<Vec<Row>>,
}

/// What happened to something that was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// A table that had rows is gone.
    Table(Name),
    /// A table that has rows lost columns.
    Columns(Name, Vec<String>),
    /// The rows of a table are other ones.
    Rows {
        /// The table.
        table: Name,
        /// The columns of the rows.
        columns: Vec<String>,
        /// The rows that went and those that came, where they are known one by one.
        rows: Option<(Vec<Row>, Vec<Row>)>,
    },
    /// A counter was set back: it would give numbers that were given before.
    Counter(String),
}

/// Compares what was with what is now.
pub fn moved(before: &Contents, after: &Contents) -> Vec<Moved> {
    let mut found = Vec::new();
    for (name, was) in before.tables.iter().filter(|(_, was)| was.rows > 0) {
        let Some(is) = after.tables.get(name) else {
            found.push(Moved::Table(name.clone()));
            continue;
        };
        let lost: Vec<String> = was.columns.iter().filter(|column| !is.columns.contains(column)).cloned().collect();
        if !lost.is_empty() {
            found.push(Moved::Columns(name.clone(), lost));
        } else if (was.rows, &was.digest) != (is.rows, &is.digest) {
            let rows = match (&was.all, &is.all) {
                (Some(was), Some(is)) => Some((without(was, is), without(is, was))),
                _ => None,
            };
            found.push(Moved::Rows { table: name.clone(), columns: was.columns.clone(), rows });
        }
    }
    let is_back = |(name, was): &(&String, &i64)| after.counters.get(*name).is_some_and(|is| is < *was);
    found.extend(before.counters.iter().filter(is_back).map(|(name, _)| Moved::Counter(name.clone())));
    found
}

/// Returns the rows of one side that the other does not have, or not as often.
fn without(rows: &[Row], others: &[Row]) -> Vec<Row> {
    let mut counts: BTreeMap<&Row, usize> = BTreeMap::new();
    for row in others {
        *counts.entry(row).or_default() += 1;
    }
    let mut left = Vec::new();
    for row in rows {
        match counts.get_mut(row) {
            Some(count @ 1..) => *count -= 1,
            _ => left.push(row.clone()),
        }
    }
    left
}

/// Returns the columns of a table that are read again: those that were read before and are still there.
pub fn again(columns: Vec<String>, table: &Name, before: Option<&Contents>) -> Vec<String> {
    match before.and_then(|before| before.tables.get(table)) {
        Some(was) => was.columns.iter().filter(|column| columns.contains(column)).cloned().collect(),
        None => columns,
    }
}

/// Returns true if the rows of a table are wanted one by one.
pub fn is_read(table: &Name, rows: u64, wanted: &BTreeSet<Name>) -> bool {
    wanted.contains(table) && rows <= MOST_ROWS
}
