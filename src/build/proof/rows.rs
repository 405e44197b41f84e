//! Rows in proofs: what texts brought, what they left behind, and what is somebody's.

use std::collections::{BTreeMap, HashMap};

use crate::engine::{Moved, Row, TableRows};
use crate::sql::Name;

/// Says in which tables rows differ, a line each.
pub(super) fn unlike_rows(ones: &[TableRows], others: &[TableRows]) -> Vec<String> {
    let mut tables: BTreeMap<String, (Option<&TableRows>, Option<&TableRows>)> = BTreeMap::new();
    for table in ones {
        tables.entry(table.table.to_string()).or_default().0 = Some(table);
    }
    for table in others {
        tables.entry(table.table.to_string()).or_default().1 = Some(table);
    }
    let count = |table: Option<&TableRows>| table.map_or(0, |table| table.rows.len());
    let sorted = |table: Option<&TableRows>| {
        let mut rows = table.map(|table| table.rows.clone()).unwrap_or_default();
        rows.sort();
        rows
    };
    tables
        .into_iter()
        .filter(|(_, (one, other))| sorted(*one) != sorted(*other))
        .map(|(name, (one, other))| match (count(one), count(other)) {
            (one, other) if one == other => format!("rows of {name} are other ones"),
            (one, other) => format!("{name} has {other} rows, not {one}"),
        })
        .collect()
}

/// What two builds of the same texts agree on.
pub(super) struct Steady {
    /// By table: the columns whose values differ.
    columns: HashMap<String, Vec<usize>>,
    /// Tables whose keys differ.
    tables: Vec<String>,
}

impl Steady {
    /// Compares two builds.
    pub fn between(ones: &[TableRows], others: &[TableRows]) -> Self {
        let mut steady = Self { columns: HashMap::new(), tables: Vec::new() };
        for one in ones {
            let name = one.table.to_string();
            let Some(other) = others.iter().find(|other| other.table == one.table) else {
                steady.tables.push(name);
                continue;
            };
            let key = |row: &Row| row.iter().take(one.key).cloned().collect::<Row>();
            let found: HashMap<Row, &Row> = other.rows.iter().map(|row| (key(row), row)).collect();
            for row in &one.rows {
                match found.get(&key(row)) {
                    Some(twin) => {
                        let differing = row.iter().zip(twin.iter()).enumerate().filter(|(_, (a, b))| a != b);
                        steady.columns.entry(name.clone()).or_default().extend(differing.map(|(at, _)| at));
                    }
                    None => steady.tables.push(name.clone()),
                }
            }
        }
        steady
    }

    /// Returns the rows without what differs from build to build.
    pub fn of(&self, tables: &[TableRows]) -> Vec<TableRows> {
        let kept = tables.iter().filter(|table| !self.tables.contains(&table.table.to_string()));
        kept.map(|table| {
            let mut table = table.clone();
            for at in self.columns.get(&table.table.to_string()).into_iter().flatten() {
                for row in &mut table.rows {
                    if let Some(value) = row.get_mut(*at) {
                        *value = None;
                    }
                }
            }
            table
        })
        .collect()
    }
}

/// Returns the rows that old texts brought and new ones do not.
pub(super) fn left_behind(old: &[TableRows], new: &[TableRows]) -> Vec<TableRows> {
    let mut left = Vec::new();
    for table in old {
        let key = |row: &Row| row.iter().take(table.key).cloned().collect::<Row>();
        // A table may have gained a column: its key tells its rows apart.
        let same = new.iter().find(|other| {
            other.table == table.table && other.columns.get(..other.key) == table.columns.get(..table.key)
        });
        let kept: Vec<Row> = same.into_iter().flat_map(|other| other.rows.iter().map(key)).collect();
        let rows: Vec<Row> = table.rows.iter().filter(|row| !kept.contains(&key(row))).cloned().collect();
        if !rows.is_empty() {
            left.push(TableRows { rows, ..table.clone() });
        }
    }
    left
}

/// Says what running again did to rows that no text accounts for. Rows that old texts brought may go if they are as
/// they were brought, and rows that a fresh build has may come; all others are somebody's.
pub(super) fn harm(moved: &[Moved], old: &[TableRows], new: &[TableRows]) -> Vec<String> {
    let brings = |side: &[TableRows], table: &Name, columns: &[String], row: &Row, by_key: bool| {
        side.iter().filter(|brought| brought.table == *table).any(|brought| {
            let width = if by_key { brought.key } else { brought.columns.len() };
            let places: Option<Vec<usize>> = brought.columns[..width]
                .iter()
                .map(|column| columns.iter().position(|known| known == column))
                .collect();
            places.is_some_and(|places| {
                let of_row: Vec<&Option<String>> = places.iter().filter_map(|at| row.get(*at)).collect();
                brought.rows.iter().any(|brought| brought[..width].iter().eq(of_row.iter().copied()))
            })
        })
    };
    let mut lines = Vec::new();
    for moved in moved {
        match moved {
            Moved::Table(table) => lines.push(format!("{table} is gone with rows that are somebody's")),
            Moved::Columns(table, columns) => {
                lines.push(format!("rows of {table} have lost what they have in {}", columns.join(", ")));
            }
            Moved::Rows { table, columns, rows } => {
                let is_told = rows.as_ref().is_some_and(|(gone, come)| {
                    gone.iter().all(|row| brings(old, table, columns, row, false))
                        && come.iter().all(|row| brings(new, table, columns, row, true))
                });
                if !is_told {
                    lines.push(format!("rows of {table} that are somebody's are changed, gone or twice"));
                }
            }
            Moved::Counter(name) => lines.push(format!("{name} counts from a number that it gave before")),
        }
    }
    lines
}
