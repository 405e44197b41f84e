//! The committed baseline against a fresh build of the checkout: why it is stale, object by object and row by row.
//!
//! Promises: nothing is written; while the baseline belongs to the checkout nothing is connected. What is another
//! value with each build is no difference.

use std::collections::{BTreeMap, BTreeSet};

use super::{RowDifference, compare_rows};
use crate::build::{self, Checkout, Fresh, Site, compare};
use crate::engine::catalog::{Difference, Patterns};
use crate::engine::{Access, Builder, Clock, Session, TableRows};
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::project::Project;

/// A committed baseline that is not of the checkout.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stale {
    /// What is not as its manifest says, a line each.
    pub reasons: Vec<String>,
    /// Objects that a fresh build makes otherwise (expected), and as the baseline has them (found).
    pub differences: Vec<Difference>,
    /// Rows that a fresh build has and the baseline has not, or has otherwise.
    pub rows: Vec<RowDifference>,
    /// Rows that only the baseline has.
    pub surplus: Vec<RowDifference>,
}

/// Compares; nothing if the committed baseline belongs to the checkout.
pub fn check(site: &Site<'_>, observer: &mut dyn Observer) -> Result<Option<Stale>, Error> {
    let checkout = build::discover(site.project, site.engine.dialect())?;
    let reasons = build::baseline_reasons(site.project, &checkout);
    if reasons.is_empty() {
        return Ok(None);
    }
    let mut stale = Stale { reasons, ..Stale::default() };
    let site = &Site { protected: protected(site), ..site.clone() };
    let mut note = |message: String| observer.event(Event::Note { code: "baseline/check".into(), message });
    let mut fresh = match Fresh::begin(site, &checkout, None, Builder::Nobody, &mut crate::event::Silent) {
        Ok(fresh) => fresh,
        // That it is stale is known; only in what cannot be shown.
        Err(error) => {
            note(format!("what differs cannot be shown: {error}"));
            return Ok(Some(stale));
        }
    };
    fresh.build(site, &checkout, None)?;
    let mut fresh = fresh.keep()?;
    let mut committed = Fresh::open(site, &mut crate::event::Silent)?;
    let folder = site.project.baseline_folder(checkout.dialect);
    let loaded = match site.project.files.root() {
        Some(root) if has_baseline(site.project, &folder) => committed.load(site, &root.join(&folder)),
        _ => return Ok(Some(stale)),
    };
    if let Err(error) = loaded {
        note(format!("{folder} cannot be loaded, so that what differs cannot be shown: {error}"));
        return Ok(Some(stale));
    }
    let (expected, found) = (fresh.session.catalog()?, committed.session.catalog()?);
    stale.differences = compare(&expected, &found, &Patterns::default(), &mut *fresh.session)?;
    stale.rows = rows(&mut *fresh.session, &mut *committed.session)?;
    stale.surplus = rows(&mut *committed.session, &mut *fresh.session)?;
    // A row that both have, otherwise, is told once.
    stale.surplus.retain(|row| !row.is_there);
    if !stale.rows.is_empty() || !stale.surplus.is_empty() {
        drop(committed);
        without_volatile(site, &checkout, &mut fresh, &mut stale)?;
    }
    Ok(Some(stale))
}

fn has_baseline(project: &Project, folder: &str) -> bool {
    !project.files.walk(folder).is_empty()
}

/// A target that does not answer is as protected as its settings say: nothing is made on it then anyway.
fn protected(site: &Site<'_>) -> bool {
    let inspected = site.engine.connect(Access::Read).and_then(|mut session| session.inspect(&site.project.name));
    inspected.map_or(site.protected, |inspection| {
        build::is_protected(&inspection, build::first_mark(site.target, site.engine.is_local()).as_ref())
    })
}

fn rows(one: &mut dyn Session, other: &mut dyn Session) -> Result<Vec<RowDifference>, Error> {
    let mut differences = Vec::new();
    for table in one.seeded()? {
        // Without the table, or with other columns, it is the object that differs.
        if let Some(there) = other.rows_like(&table)? {
            differences.extend(compare_rows(&table, there));
        }
    }
    Ok(differences)
}

/// Takes out what a second build has otherwise too.
fn without_volatile(site: &Site<'_>, checkout: &Checkout, fresh: &mut Fresh, stale: &mut Stale) -> Result<(), Error> {
    let tables: Vec<TableRows> = fresh.session.seeded()?;
    let mut again = Fresh::open_at(site, Clock::Own, Builder::Another, &mut crate::event::Silent)?;
    if again.build(site, checkout, None).is_err() {
        // A script that cannot run twice on one server, such as one that makes a role: all is shown.
        return Ok(());
    }
    let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut keys: BTreeSet<String> = BTreeSet::new();
    for table in &tables {
        let Some(there) = again.session.rows_like(table)? else { continue };
        for row in compare_rows(table, there) {
            if row.is_there {
                columns.entry(row.table).or_default().extend(row.columns.into_iter().map(|values| values.column));
            } else {
                keys.insert(row.table);
            }
        }
    }
    let is_fixed = |row: &mut RowDifference| {
        if keys.contains(&row.table) {
            return false;
        }
        let volatile = columns.get(&row.table);
        row.columns.retain(|values| volatile.is_none_or(|volatile| !volatile.contains(&values.column)));
        !row.is_there || !row.columns.is_empty()
    };
    stale.rows.retain_mut(is_fixed);
    stale.surplus.retain_mut(is_fixed);
    Ok(())
}
