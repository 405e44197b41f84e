//! What a road has made, and how it compares with what another one has.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{self, Change, RowFate};
use super::report::Volatile;
use super::stage::Stage;
use crate::drift;
use crate::engine::catalog::Patterns;
use crate::engine::trial::Digests;
use crate::engine::{Catalog, Row, Session, TableRows};
use crate::error::Error;

/// The definitions, the rows whose values were given, and the sequences of a database.
pub struct Built {
    catalog: Catalog,
    rows: Vec<TableRows>,
    counters: BTreeMap<String, i64>,
}

/// What another build of the same files has otherwise too, and so says nothing.
#[derive(Default)]
pub struct Moving {
    /// Columns, whose values are others.
    pub columns: BTreeSet<Volatile>,
    /// Tables, whose rows are others by more than the values of some columns.
    pub tables: BTreeSet<String>,
}

/// What is different between two roads.
#[derive(Default)]
pub struct Apart {
    /// What makes them two databases.
    pub changes: Vec<Change>,
    /// Order of columns and generated names, which do not.
    pub beside: Vec<Change>,
}

impl Built {
    /// Looks at a database.
    pub fn of(stage: &mut Stage) -> Result<Self, Error> {
        let catalog = stage.session.catalog()?;
        let rows = stage.session.seeded()?;
        let counters = stage.session.trial(&[])?.counters()?;
        Ok(Self { catalog, rows, counters })
    }

    /// Compares the definitions and the rows, `self` being what is expected. Where texts differ, the session's own
    /// throwaway database says whether they mean the same.
    pub fn compare(
        &self,
        found: &Self,
        session: &mut dyn Session,
        moving: &Moving,
        strict: bool,
    ) -> Result<Apart, Error> {
        let objects = drift::compare(&self.catalog, &found.catalog, &Patterns::default(), session)?;
        let (counted, beside) = objects.into_iter().partition(|difference| strict || difference.change.counts());
        let wrap = |all: Vec<_>| all.into_iter().map(Change::Object).collect::<Vec<Change>>();
        let mut apart = Apart { changes: wrap(counted), beside: wrap(beside) };
        let (one, other) = (without(&self.rows, moving), without(&found.rows, moving));
        let none = Digests::new();
        apart.changes.extend(change::rows(&one, &other, (&none, &none), &BTreeSet::new()));
        Ok(apart)
    }

    /// Compares with another build of the same files. Returns what moves between the two, and what else is different.
    pub fn moving(&self, other: &Self, session: &mut dyn Session, strict: bool) -> Result<(Moving, Apart), Error> {
        let mut moving = Moving::default();
        let mut apart = self.compare(other, session, &moving, strict)?;
        // Rows that are known by a value that moves differ in others only when that is left out.
        loop {
            let known = moving.columns.len();
            moving.columns.extend(volatile(&apart.changes, self));
            if moving.columns.len() == known {
                break;
            }
            apart = self.compare(other, session, &moving, strict)?;
        }
        let table = |change: &Change| match change {
            Change::Row(row) => Some(row.table.clone()),
            Change::Object(_) | Change::Rows { .. } | Change::Counter { .. } => None,
        };
        moving.tables = apart.changes.iter().filter_map(table).collect();
        Ok((moving, apart))
    }

    /// Returns the sequences that stand elsewhere.
    pub fn counters_apart(&self, found: &Self) -> Vec<Change> {
        change::counters(&self.counters, &found.counters, true)
    }
}

/// Returns the columns whose values are others in two builds of the same files, where the rows are as many.
fn volatile(changes: &[Change], one: &Built) -> BTreeSet<Volatile> {
    let mut found = BTreeSet::new();
    let mut gone: BTreeMap<&str, [Vec<&change::RowChange>; 2]> = BTreeMap::new();
    for change in changes {
        let Change::Row(row) = change else { continue };
        match row.change {
            RowFate::Changed => {
                let columns = row.columns.iter();
                found
                    .extend(columns.map(|values| Volatile { table: row.table.clone(), column: values.column.clone() }));
            }
            RowFate::Lost => gone.entry(&row.table).or_default()[0].push(row),
            RowFate::New => gone.entry(&row.table).or_default()[1].push(row),
        }
    }
    let known: BTreeSet<String> = one.rows.iter().map(|table| table.table.to_string()).collect();
    for (table, [lost, new]) in gone {
        if lost.len() != new.len() || !known.contains(table) {
            continue;
        }
        // A row that is known by a volatile value is gone, and another one has come.
        for (lost, new) in lost.iter().zip(new) {
            let pairs = lost.key.iter().zip(&new.key).filter(|(one, other)| one.value != other.value);
            found.extend(pairs.map(|(one, _)| Volatile { table: table.to_owned(), column: one.column.clone() }));
        }
    }
    found
}

/// Leaves out what moves.
pub fn without(tables: &[TableRows], moving: &Moving) -> Vec<TableRows> {
    let narrowed = |table: &TableRows| {
        let name = table.table.to_string();
        let is_out =
            |column: &String| moving.columns.contains(&Volatile { table: name.clone(), column: column.clone() });
        let kept: Vec<usize> =
            table.columns.iter().enumerate().filter(|(_, column)| !is_out(column)).map(|(at, _)| at).collect();
        if kept.len() == table.columns.len() {
            return table.clone();
        }
        let pick = |row: &Row| kept.iter().map(|at| row.get(*at).cloned().flatten()).collect::<Row>();
        let mut rows: Vec<Row> = table.rows.iter().map(pick).collect();
        rows.sort();
        let columns: Vec<String> = kept.iter().filter_map(|at| table.columns.get(*at).cloned()).collect();
        let keys = kept.iter().filter(|at| **at < table.key).count();
        TableRows {
            key: if keys == table.key { keys } else { columns.len() },
            types: kept.iter().filter_map(|at| table.types.get(*at).cloned()).collect(),
            columns,
            rows,
            table: table.table.clone(),
        }
    };
    let stays = |table: &&TableRows| !moving.tables.contains(&table.table.to_string());
    tables.iter().filter(stays).map(narrowed).collect()
}
