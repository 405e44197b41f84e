//! A target against a fresh build of the checkout: objects by their definitions, rows of seeded tables by their keys.
//!
//! Where the committed baseline belongs to the checkout, its digests answer first: a target that has the same objects
//! and no rows to compare needs no scratch database, and one that has nowhere to build is told what differs.
//!
//! Promises: the target is only read; nothing is made on a protected server; what people added to a seeded table
//! is theirs.

use std::collections::HashMap;
use std::time::Instant;

pub use crate::build::compare;
use crate::build::{self, Checkout, Fresh, Plan, Site, Wish};
use crate::engine::catalog::{Difference, Patterns};
use crate::engine::{Access, Builder, Catalog, Clock, EngineError, Row, TableRows};
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::journal::Mark;
use crate::project::SettingsError;

mod committed;
mod digests;
mod volatile;

pub use committed::{Stale, check};
use digests::Known;
pub use volatile::settle;

/// What was found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Drift {
    /// Objects that are different.
    pub differences: Vec<Difference>,
    /// Rows that a fresh build has and the target has not, or has otherwise.
    pub rows: Vec<RowDifference>,
    /// How many objects a fresh build has.
    pub objects: usize,
    /// How many rows a fresh build has in the tables that were compared.
    pub rows_compared: usize,
    /// The applied version of the target.
    pub version: Option<String>,
    /// The target's mark.
    pub mark: Option<Mark>,
}

/// A row that is different.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RowDifference {
    /// The table.
    pub table: String,
    /// The row's key, column by column; the whole row where there is no key.
    pub key: Vec<Value>,
    /// False if the target has no such row.
    pub is_there: bool,
    /// The columns whose values differ.
    pub columns: Vec<Values>,
}

/// A column's value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Value {
    /// The column.
    pub column: String,
    /// Its value as text.
    pub value: Option<String>,
}

/// A column's two values.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Values {
    /// The column.
    pub column: String,
    /// In a fresh build.
    pub expected: Option<String>,
    /// In the target.
    pub found: Option<String>,
}

impl Drift {
    /// Returns true if the target is what a fresh build makes. Order and generated names count only if asked.
    pub fn is_clean(&self, strict: bool) -> bool {
        self.rows.is_empty() && !self.differences.iter().any(|difference| strict || difference.change.counts())
    }
}

/// Reads the patterns of what does not count.
pub fn patterns(settings: &[String], more: &[String]) -> Result<Patterns, SettingsError> {
    Patterns::new(settings.iter().chain(more).map(String::as_str)).map_err(|error| {
        SettingsError::new("settings/drift", format!("a pattern of what drift ignores cannot be read: {error}"))
            .hint("write globs, `ignore = [\"public.tmp_*\", \"index public.*\"]` under [drift]")
    })
}

/// Compares.
pub fn drift(site: &Site<'_>, ignore: &Patterns, observer: &mut dyn Observer) -> Result<Drift, Error> {
    let survey = build::survey(site, &Wish::default())?;
    if !survey.exists {
        return Err(EngineError::NoDatabase { target: site.engine.describe() }.into());
    }
    let first = build::first_mark(site.target, site.engine.is_local());
    let protected = build::is_protected(&survey.inspection, first.as_ref());
    let site = &Site { protected, ..site.clone() };
    tell(survey.plan.as_ref(), observer);

    let mut session = site.engine.connect(Access::Read)?;
    let found = session.catalog()?;
    let version = survey.reconciled.version.as_ref().map(ToString::to_string);
    let held = build::baseline_held(site.project, &survey.checkout);
    let held = held.filter(|held| held.server == survey.inspection.major).map(|held| Known::of(held, &found, ignore));
    let belongs = held.is_some();
    if let Some(known) = held.as_ref().filter(|known| known.is_enough()) {
        return Ok(known.drift(&found, version, survey.inspection.mark));
    }
    let mark = survey.inspection.mark.as_ref().or(first.as_ref());
    let environment = mark.map(|mark| mark.environment.as_str());
    let mut fresh = match (Fresh::begin(site, &survey.checkout, environment, Builder::Login, observer), held) {
        (Ok(fresh), _) => fresh,
        (Err(error), None) => return Err(error),
        // There is nowhere to build, but what is different is known, only not from what.
        (Err(error), Some(known)) => {
            let message =
                format!("objects are held to the digests of the baseline, and rows are not compared: {error}");
            observer.event(Event::Note { code: "drift/digests".into(), message });
            return Ok(known.drift(&found, version, survey.inspection.mark));
        }
    };
    fresh.build(site, &survey.checkout, environment)?;
    let ended = Instant::now();
    let mut fresh = fresh.keep()?;
    let expected = fresh.session.catalog()?;
    let mut differences = compare(&expected, &found, ignore, &mut *fresh.session)?;
    if belongs && !differences.is_empty() && fresh.named_builder().is_some() {
        differences = of_both(differences, loaded(site, &survey.checkout, (&found, ignore), observer)?);
    }

    let (mut rows, mut rows_compared) = (Vec::new(), 0);
    let tables = fresh.session.seeded()?;
    for table in &tables {
        let (name, key) = (table.table.to_string(), format!("table {}", table.table));
        if ignore.matches(&key, &name) || found.get(&key).is_none() {
            continue;
        }
        match session.rows_like(table)? {
            Some(there) => {
                rows_compared += table.rows.len();
                rows.extend(compare_rows(table, there));
            }
            None => {
                let message =
                    format!("the rows of {name} cannot be compared: a column or the right to read is missing");
                observer.event(Event::Note { code: "drift/rows".into(), message });
            }
        }
    }
    // Before the next build: roles outlive databases, and a script that makes one must not meet it.
    drop(fresh);
    let rows = settle(site, &survey.checkout, environment, (&tables, ended), rows, observer)?;
    Ok(Drift { differences, rows, objects: expected.len(), rows_compared, version, mark: survey.inspection.mark })
}

/// Compares with what the target's login loads from the baseline. Where scripts name that login, its own build of them
/// is another one than that of the role that made the baseline, and a database is as good from the one as from the other.
fn loaded(
    site: &Site<'_>,
    checkout: &Checkout,
    (found, ignore): (&Catalog, &Patterns),
    observer: &mut dyn Observer,
) -> Result<Vec<Difference>, Error> {
    let mut loaded = Fresh::open_at(site, Clock::Own, Builder::Login, observer)?;
    if let Some(root) = site.project.files.root() {
        loaded.load(site, &root.join(site.project.baseline_folder(checkout.dialect)))?;
    }
    let expected = loaded.session.catalog()?;
    compare(&expected, found, ignore, &mut *loaded.session)
}

/// Returns the differences that are in both.
fn of_both(mut ones: Vec<Difference>, others: Vec<Difference>) -> Vec<Difference> {
    ones.retain(|one| others.iter().any(|other| (other.kind, &other.name) == (one.kind, &one.name)));
    ones
}

/// Says that the target is not at the checkout's state: what is still to run shows as missing.
fn tell(plan: Result<&Plan, &build::Refusal>, observer: &mut dyn Observer) {
    let message = match plan {
        Ok(plan) if plan.is_empty() => return,
        Ok(_) => "a build has something to do here; what it would make shows as a difference".to_owned(),
        Err(refusal) => format!("a build would refuse: {refusal}"),
    };
    observer.event(Event::Note { code: "drift/behind".into(), message });
}

/// Compares expected rows with those that were found under their keys.
pub fn compare_rows(expected: &TableRows, found: Vec<Row>) -> Vec<RowDifference> {
    let key = |row: &Row| row.iter().take(expected.key).cloned().collect::<Row>();
    let found: HashMap<Row, Row> = found.into_iter().map(|row| (key(&row), row)).collect();
    let mut differences = Vec::new();
    for row in &expected.rows {
        let other = found.get(&key(row));
        let columns: Vec<Values> = match other {
            Some(other) => {
                let values = expected.columns.iter().zip(row.iter().zip(other));
                values
                    .filter(|(_, (one, other))| one != other)
                    .map(|(column, (one, other))| Values {
                        column: column.clone(),
                        expected: one.clone(),
                        found: other.clone(),
                    })
                    .collect()
            }
            None => Vec::new(),
        };
        if other.is_none() || !columns.is_empty() {
            let values = expected.columns.iter().take(expected.key).zip(row);
            let key = values.map(|(column, value)| Value { column: column.clone(), value: value.clone() }).collect();
            differences.push(RowDifference {
                table: expected.table.to_string(),
                key,
                is_there: other.is_some(),
                columns,
            });
        }
    }
    differences
}
