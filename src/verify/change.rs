//! What is different between two states of a database: objects by their definitions, rows by their keys.
//!
//! Not counted: the order of columns and names that the engine made up (unless strict), sequences that have moved
//! on, statistics, object numbers, the order of rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::drift::{Value, Values};
use crate::engine::catalog::{Difference, Patterns, differences};
use crate::engine::trial::{Definitions, Digest, Digests, Tables, Touched, Trial};
use crate::engine::{Catalog, Object, Result, Row, TableRows};
use crate::sql::Name;

/// How many rows of a table are compared one by one; of larger ones their number and digest.
const COMPARED: u64 = 20_000;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Change {
    /// An object is another one, is gone or is new. `expected` is what it was before.
    Object(Difference),
    /// A row is another one, is gone or is new.
    Row(RowChange),
    /// The rows of a large table are others.
    Rows {
        /// The table.
        table: String,
        /// How many there were.
        before: u64,
        /// How many there are.
        after: u64,
    },
    /// A sequence went back: numbers that were given out will be given out again.
    Counter {
        /// The sequence.
        name: String,
        /// Its last value before.
        before: i64,
        /// Its last value after.
        after: i64,
    },
}

/// A row that is different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowChange {
    /// The table.
    pub table: String,
    /// How.
    pub change: RowFate,
    /// The row's key, column by column; the whole row where there is no key.
    pub key: Vec<Value>,
    /// The columns whose values differ: `expected` before, `found` after.
    pub columns: Vec<Values>,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RowFate {
    /// It is gone.
    Lost,
    /// It is new.
    New,
    /// It has other values.
    Changed,
}

impl RowFate {
    /// Returns the word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::New => "new",
            Self::Changed => "changed",
        }
    }
}

impl Change {
    /// Returns what tells it from others.
    pub fn key(&self) -> String {
        match self {
            Self::Object(difference) => {
                format!("{} {} {}", difference.change.word(), difference.kind, difference.name)
            }
            Self::Row(row) => {
                let key: Vec<String> = row.key.iter().map(|part| format!("{:?}", part.value)).collect();
                format!("row {} {} {}", row.table, row.change.word(), key.join(" "))
            }
            Self::Rows { table, .. } => format!("rows {table}"),
            Self::Counter { name, .. } => format!("counter {name}"),
        }
    }
}

/// A state of a database, as far as it was looked at.
pub struct State {
    /// The catalog, if definitions may differ.
    pub catalog: Option<Catalog>,
    /// The digests of the tables that may differ.
    pub digests: Digests,
}

impl State {
    /// Looks at what was touched. Nothing if that is not enough to tell what is different.
    pub fn near(trial: &mut dyn Trial, touched: &Touched) -> Result<Option<Self>> {
        let Definitions::Near(near) = &touched.definitions else { return Self::of(trial, touched).map(Some) };
        let Some(catalog) = trial.catalog_near(near)? else { return Ok(None) };
        Ok(Some(Self { catalog: Some(catalog), ..Self::of(trial, &touched.rows())? }))
    }

    /// Looks at the tables that were touched, and at all definitions if some were.
    pub fn of(trial: &mut dyn Trial, touched: &Touched) -> Result<Self> {
        let is_defined = touched.definitions != Definitions::None;
        let catalog = if is_defined { Some(trial.catalog()?) } else { None };
        let digests = if touched.tables.is_none() { Digests::new() } else { trial.digests(&touched.tables)? };
        Ok(Self { catalog, digests })
    }

    /// Looks at everything.
    pub fn whole(trial: &mut dyn Trial) -> Result<Self> {
        Self::of(trial, &Touched { definitions: Definitions::All, tables: Tables::All })
    }

    /// Looks at all definitions.
    pub fn definitions(trial: &mut dyn Trial) -> Result<Self> {
        Ok(Self { catalog: Some(trial.catalog()?), digests: Digests::new() })
    }

    /// Looks at all rows.
    pub fn rows(trial: &mut dyn Trial) -> Result<Self> {
        Self::of(trial, &Touched { definitions: Definitions::None, tables: Tables::All })
    }

    /// Returns what is different in the definitions.
    pub fn objects(&self, after: &Self, strict: bool) -> Vec<Change> {
        match (&self.catalog, &after.catalog) {
            (Some(before), Some(after)) => objects(before, after, strict),
            _ => Vec::new(),
        }
    }

    /// Returns the tables whose rows are different.
    pub fn tables(&self, after: &Self) -> BTreeSet<Name> {
        let names: BTreeSet<&Name> = self.digests.keys().chain(after.digests.keys()).collect();
        let differs = |name: &&Name| self.digests.get(*name) != after.digests.get(*name);
        names.into_iter().filter(differs).cloned().collect()
    }
}

/// Returns what is different between two catalogs of one database.
pub fn objects(before: &Catalog, after: &Catalog, strict: bool) -> Vec<Change> {
    let same = |pairs: &[(&Object, &Object)]| -> std::result::Result<Vec<bool>, std::convert::Infallible> {
        // One database has one spelling of a definition.
        Ok(vec![false; pairs.len()])
    };
    let found = match differences(before, after, &Patterns::default(), same) {
        Ok(found) => found,
        Err(never) => match never {},
    };
    found.into_iter().filter(|difference| strict || difference.change.counts()).map(Change::Object).collect()
}

/// Returns the rows that are different. Tables that are too large are told by their number of rows.
pub fn rows(
    before: &[TableRows],
    after: &[TableRows],
    digests: (&Digests, &Digests),
    large: &BTreeSet<Name>,
) -> Vec<Change> {
    let count = |digests: &Digests, name: &Name| digests.get(name).map_or(0, |digest: &Digest| digest.rows);
    let mut changes: Vec<Change> = large
        .iter()
        .map(|name| Change::Rows {
            table: name.to_string(),
            before: count(digests.0, name),
            after: count(digests.1, name),
        })
        .collect();
    let by_name = |tables: &'_ [TableRows]| -> BTreeMap<Name, TableRows> {
        tables.iter().map(|table| (table.table.clone(), table.clone())).collect()
    };
    let (one, other) = (by_name(before), by_name(after));
    let names: BTreeSet<&Name> = one.keys().chain(other.keys()).collect();
    for name in names {
        let empty = |like: &TableRows| TableRows { rows: Vec::new(), ..like.clone() };
        match (one.get(name), other.get(name)) {
            (Some(one), Some(other)) if one.columns == other.columns => changes.extend(table(one, other)),
            (Some(one), Some(other)) => changes.extend(narrowed(one, other)),
            (Some(one), None) => changes.extend(table(one, &empty(one))),
            (None, Some(other)) => changes.extend(table(&empty(other), other)),
            (None, None) => {}
        }
    }
    changes
}

/// Compares the columns that both have; that the others are gone or new is told with the objects.
fn narrowed(one: &TableRows, other: &TableRows) -> Vec<Change> {
    let common: Vec<String> = one.columns.iter().filter(|column| other.columns.contains(column)).cloned().collect();
    let take = |table: &TableRows| {
        let places: Vec<usize> =
            common.iter().filter_map(|column| table.columns.iter().position(|known| known == column)).collect();
        let row = |row: &Row| places.iter().map(|at| row.get(*at).cloned().flatten()).collect::<Row>();
        let key = if common.get(..table.key) == table.columns.get(..table.key) { table.key } else { common.len() };
        TableRows { columns: common.clone(), key, rows: table.rows.iter().map(row).collect(), ..table.clone() }
    };
    let (one, mut other) = (take(one), take(other));
    other.key = one.key;
    table(&one, &other)
}

/// Compares the rows of one table, row by row, by their keys; rows without a key by how many of each there are.
fn table(before: &TableRows, after: &TableRows) -> Vec<Change> {
    let key = |row: &Row| row.iter().take(before.key).cloned().collect::<Row>();
    let group = |rows: &[Row]| {
        let mut groups: BTreeMap<Row, Vec<Row>> = BTreeMap::new();
        for row in rows {
            groups.entry(key(row)).or_default().push(row.clone());
        }
        groups
    };
    let (one, other) = (group(&before.rows), group(&after.rows));
    let keys: BTreeSet<&Row> = one.keys().chain(other.keys()).collect();
    let mut changes = Vec::new();
    let none = Vec::new();
    for found in keys {
        let (old, new) = (one.get(found).unwrap_or(&none), other.get(found).unwrap_or(&none));
        if old == new {
            continue;
        }
        let shown = || {
            let pairs = before.columns.iter().zip(found);
            pairs.map(|(column, value)| Value { column: column.clone(), value: value.clone() }).collect::<Vec<_>>()
        };
        let change = |change: RowFate, columns: Vec<Values>| {
            Change::Row(RowChange { table: before.table.to_string(), change, key: shown(), columns })
        };
        for (old, new) in old.iter().zip(new).filter(|(old, new)| old != new) {
            let values = before.columns.iter().zip(old.iter().zip(new)).filter(|(_, (old, new))| old != new);
            let values = values.map(|(column, (old, new))| Values {
                column: column.clone(),
                expected: old.clone(),
                found: new.clone(),
            });
            changes.push(change(RowFate::Changed, values.collect()));
        }
        changes.extend(old.iter().skip(new.len()).map(|_| change(RowFate::Lost, Vec::new())));
        changes.extend(new.iter().skip(old.len()).map(|_| change(RowFate::New, Vec::new())));
    }
    changes
}

/// Returns the tables whose rows are others, told by how many there are.
pub fn counted(before: &State, after: &State) -> Vec<Change> {
    rows(&[], &[], (&before.digests, &after.digests), &before.tables(after))
}

/// Divides tables into those that are compared row by row and those that are too large for it.
pub fn by_size(tables: &BTreeSet<Name>, before: &Digests, after: &Digests) -> (BTreeSet<Name>, BTreeSet<Name>) {
    let size = |name: &Name| {
        let rows = |digests: &Digests| digests.get(name).map_or(0, |digest| digest.rows);
        rows(before).max(rows(after))
    };
    tables.iter().cloned().partition(|name| size(name) <= COMPARED)
}

/// Returns the sequences that went back.
pub fn counters(before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>, strict: bool) -> Vec<Change> {
    let differs = |(name, before): (&String, &i64)| {
        let after = *after.get(name)?;
        let counts = after < *before || (strict && after != *before);
        counts.then(|| Change::Counter { name: name.clone(), before: *before, after })
    };
    before.iter().filter_map(differs).collect()
}
