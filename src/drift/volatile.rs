//! Values that scripts make anew in each build: `now()`, random keys. A row that differs in nothing else is no drift.
//!
//! They are found as a baseline finds them: by building once more, and only where rows differ at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::RowDifference;
use crate::build::{Checkout, Fresh, Site};
use crate::engine::{Builder, Clock, Row, TableRows};
use crate::error::Error;
use crate::event::{Event, Observer};

/// Leaves out of the differences what another build makes otherwise too. `expected` are the rows of the first build,
/// which ended at `ended` and is gone.
pub fn settle(
    site: &Site<'_>,
    checkout: &Checkout,
    environment: Option<&str>,
    (expected, ended): (&[TableRows], Instant),
    rows: Vec<RowDifference>,
    observer: &mut dyn Observer,
) -> Result<Vec<RowDifference>, Error> {
    if rows.is_empty() {
        return Ok(rows);
    }
    // A clock that counts seconds must not stand still between the two.
    std::thread::sleep(Duration::from_millis(1_050).saturating_sub(ended.elapsed()));
    let mut again = Fresh::open_at(site, Clock::Own, Builder::Another, observer)?;
    if let Err(error) = again.build(site, checkout, environment) {
        if site.interrupt.is_raised() {
            return Err(error);
        }
        let message = format!("values that are others in each build are not looked for: {error}");
        observer.event(Event::Note { code: "drift/volatile".into(), message });
        return Ok(rows);
    }
    let others = again.session.seeded()?;
    let tables: BTreeSet<&str> = rows.iter().map(|row| row.table.as_str()).collect();
    let tables: BTreeMap<String, Builds<'_>> = tables
        .into_iter()
        .filter_map(|name| {
            let of = |tables: &'_ [TableRows]| tables.iter().position(|table| table.table.to_string() == name);
            let (one, other) = (expected.get(of(expected)?)?, others.get(of(&others)?)?);
            Some((name.to_owned(), Builds { columns: &one.columns, one: by_key(one), other: by_key(other) }))
        })
        .collect();
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut left = Vec::new();
    for mut row in rows {
        let Some(builds) = tables.get(&row.table) else {
            left.push(row);
            continue;
        };
        let names = told.entry(row.table.clone()).or_default();
        let Some(volatile) = builds.volatile(&row) else {
            // The row itself comes under another key each time.
            names.extend(row.key.into_iter().map(|value| value.column));
            continue;
        };
        names.extend(row.columns.iter().map(|value| &value.column).filter(|name| volatile.contains(*name)).cloned());
        row.columns.retain(|value| !volatile.contains(&value.column));
        if !row.is_there || !row.columns.is_empty() {
            left.push(row);
        }
    }
    for (table, columns) in told.into_iter().filter(|(_, columns)| !columns.is_empty()) {
        let columns = columns.into_iter().collect::<Vec<_>>().join(", ");
        let message = format!("{table}: {columns} is another value in each build, so it is not compared");
        observer.event(Event::Note { code: "drift/volatile".into(), message });
    }
    Ok(left)
}

/// A table's rows in two builds, by their keys.
struct Builds<'a> {
    columns: &'a [String],
    one: HashMap<&'a [Option<String>], &'a Row>,
    other: HashMap<&'a [Option<String>], &'a Row>,
}

fn by_key(table: &TableRows) -> HashMap<&[Option<String>], &Row> {
    table.rows.iter().filter_map(|row| Some((row.get(..table.key)?, row))).collect()
}

impl Builds<'_> {
    /// Returns the columns in which the two have another value for a row; `None` if the second has no such row.
    fn volatile(&self, row: &RowDifference) -> Option<BTreeSet<String>> {
        let key: Row = row.key.iter().map(|value| value.value.clone()).collect();
        let (first, second) = (self.one.get(key.as_slice())?, self.other.get(key.as_slice())?);
        let cells = self.columns.iter().zip(first.iter().zip(second.iter()));
        Some(cells.filter(|(_, (a, b))| a != b).map(|(name, _)| name.clone()).collect())
    }
}
