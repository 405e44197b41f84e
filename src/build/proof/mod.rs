//! Proofs by building: what one set of texts makes, against another, and against a database.
//!
//! Promises: whatever is built is built in scratch databases; values that differ from build to build (the time, a
//! random key) prove nothing and are left out.

use super::fresh::compare;
use super::{Checkout, Fresh, Site, discover};
use crate::engine::catalog::{Change, Difference, Patterns};
use crate::engine::{Builder, Catalog, Clock, TableRows};
use crate::error::Error;
use crate::event::Observer;
use crate::project::{Project, SettingsError};

mod rerun;
mod rows;

pub use rerun::rerun;
use rows::{Steady, unlike_rows};

/// What a set of texts makes.
pub struct Made {
    /// The scratch database that it was made in.
    pub fresh: Fresh,
    /// Every object.
    pub catalog: Catalog,
    /// The rows that the texts put there.
    pub rows: Vec<TableRows>,
}

/// Builds a project's checkout in a scratch database.
pub fn make(
    site: &Site<'_>,
    project: &Project,
    checkout: &Checkout,
    environment: Option<&str>,
    observer: &mut dyn Observer,
) -> Result<Made, Error> {
    let site = Site { project, ..site.clone() };
    // What it makes is held to the target too.
    let mut fresh = Fresh::open_at(&site, Clock::Own, Builder::Login, observer)?;
    fresh.build(&site, checkout, environment)?;
    let catalog = fresh.session.catalog()?;
    let rows = fresh.session.seeded()?;
    Ok(Made { fresh, catalog, rows })
}

/// Says why a build failed, with the file and line that it failed at.
pub fn why_it_failed(error: &Error) -> String {
    match error.place() {
        Some(place) => format!("{place}: {error}"),
        None => error.to_string(),
    }
}

/// Returns the project with texts of the journal in place of files that changed since.
pub fn with_texts(project: &Project, texts: impl IntoIterator<Item = (String, String)>) -> Project {
    let mut project = project.clone();
    project.texts.extend(texts);
    project
}

/// Says what is different between what two sets of texts make, a line each. `again` builds the first one once more;
/// it is asked only if rows differ.
pub fn unlike(
    one: &mut Made,
    other: &Made,
    ignore: &Patterns,
    again: impl FnOnce() -> Result<Made, Error>,
) -> Result<Vec<String>, Error> {
    let found = compare(&one.catalog, &other.catalog, ignore, &mut *one.fresh.session)?;
    let mut lines: Vec<String> = found.iter().filter(|difference| difference.change.counts()).map(line).collect();
    let mut rows = unlike_rows(&one.rows, &other.rows);
    if !rows.is_empty() {
        let steady = Steady::between(&one.rows, &again()?.rows);
        rows = unlike_rows(&steady.of(&one.rows), &steady.of(&other.rows));
    }
    lines.extend(rows);
    Ok(lines)
}

/// Returns a difference as a line.
pub fn line(difference: &Difference) -> String {
    let word = match difference.change {
        Change::Missing => "is missing",
        Change::Added => "is there",
        Change::Changed => "is another one",
        Change::Order => "has its columns in another order",
        Change::Name => "has another name",
    };
    format!("{} {} {word}", difference.kind, difference.name)
}

/// Reads the patterns of what does not count.
pub fn ignored(project: &Project) -> Result<Patterns, Error> {
    let settings = &project.settings.drift.ignore;
    Patterns::new(settings.iter().map(String::as_str)).map_err(|error| {
        let message = format!("a pattern of what drift ignores cannot be read: {error}");
        Error::from(SettingsError::new("settings/drift", message))
    })
}
