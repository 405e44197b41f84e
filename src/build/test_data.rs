//! Sample rows, which never reach a protected database.

use super::plan::changed;
use super::unit::{Planned, planned_file, row_seed, unit};
use super::{Refusal, Site, apply, discover, refuse_other_mark};
use crate::engine::{Access, Wait};
use crate::error::Error;
use crate::event::Observer;
use crate::journal::{Kind, Stored};

/// What came of loading test data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestData {
    /// How many files there are.
    pub files: usize,
    /// How many were loaded: those whose content is not the journaled one.
    pub loaded: usize,
}

/// Loads `seed/test/` into a database whose mark allows it.
pub fn test_data(site: &Site<'_>, observer: &mut dyn Observer) -> Result<TestData, Error> {
    let site = &site.with_revision();
    let checkout = discover(site.project, site.engine.dialect())?;
    let mut session = site.engine.connect(Access::Write)?;
    session.exclusive(Wait { limit: site.target.lock_wait }, observer)?;
    let inspection = session.inspect(&site.project.name)?;
    let described = site.engine.describe();
    let Some(entries) = &inspection.journal else {
        return Err(Refusal::new("test-data/not-built", format!("{described} is not built yet"))
            .hint("build it first: `dbbuild`")
            .into());
    };
    if let Some(mark) = &inspection.mark {
        refuse_other_mark(mark, site.target, &described)?;
    }
    if inspection.mark.as_ref().is_none_or(|mark| mark.protected) {
        let why =
            if inspection.mark.is_some() { "is marked protected" } else { "has no mark, which counts as protected" };
        return Err(Refusal::new("test-data/protected", format!("{described} {why}: test data stays out"))
            .hint("name a development database; if this is one: `dbbuild mark development`")
            .into());
    }
    let mut loaded = 0;
    for seed in &checkout.test_data {
        let Some(planned) = changed(&seed.source, entries, Kind::TestData) else { continue };
        loaded += 1;
        if let Some(rows) = row_seed(site.project, seed, Kind::TestData, planned.attempt) {
            apply::load_rows(site, &rows, &mut *session, observer)?;
            continue;
        }
        let running = entries
            .iter()
            .find(|entry| entry.kind == Kind::TestData && entry.key == planned.file && entry.state == Stored::Running);
        let planned = Planned {
            running: running.cloned(),
            ..planned_file(Kind::TestData, &planned.file, &planned.checksum, planned.attempt)
        };
        let unit = unit(site.project, site.target, checkout.dialect, &planned)?;
        apply::run_one(site, &unit, &mut *session, observer)?;
    }
    Ok(TestData { files: checkout.test_data.len(), loaded })
}
