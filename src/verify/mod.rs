//! Proofs instead of promises: scripts, code and seeds are run in scratch databases, twice and in other ways, and
//! what they make is compared.
//!
//! Promises: no target is touched, and no protected server is used; whole files first, single statements only where
//! something differs or fails, so that a finding names the statement; a second run is undone, so that a finding
//! does not spoil the proofs that follow it; an interrupted verification reports what was proven before.

mod again;
mod back;
mod blame;
mod built;
mod change;
mod code;
mod crash;
mod locks;
mod offline;
mod order;
mod progress;
mod report;
mod revision;
mod roads;
mod squashed;
mod stage;
mod twice;
mod walk;

pub use change::{Change, RowChange, RowFate};
pub use report::{Finding, Level, Measured, Outcome, Proof, Report, Said, Skipped, Volatile};

use std::collections::BTreeSet;

use crate::build::{self, Site, discover, history};
use crate::engine::{EngineError, Unit};
use crate::error::Error;
use crate::event::Observer;
use crate::project::Project;
use crate::sql::Dialect;

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Let the order of columns, generated names and sequences that moved on count too.
    pub strict: bool,
    /// Try the crash points of transactional scripts too.
    pub thorough: bool,
    /// Prove only what changed since the merge base, and only what can be proven quickly.
    pub quick: bool,
    /// Stop at the first file that fails, and leave its scratch database behind.
    pub keep: bool,
    /// Earlier revisions whose databases are upgraded.
    pub releases: Vec<String>,
    /// A revision with whose scripts the order is tried.
    pub against: Option<String>,
}

/// Proves what can be proven of a checkout.
pub fn verify(site: &Site<'_>, wish: &Wish, observer: &mut dyn Observer) -> Result<Report, Error> {
    let checkout = discover(site.project, site.engine.dialect())?;
    let environment = build::first_mark(site.target, site.engine.is_local()).map(|mark| mark.environment);
    let items = history(site, &checkout, environment.as_deref())?;
    let chosen = if wish.quick { Some(revision::changed(site.project)?) } else { None };
    let mut report = Report::default();
    let work = Work { site, wish, checkout: &checkout, items: &items, environment: environment.as_deref(), chosen };
    match work.all(&mut report, observer) {
        Ok(()) => Ok(report),
        Err(Error::Engine(EngineError::Interrupted { .. })) => {
            report.interrupted = true;
            Ok(report)
        }
        Err(other) => Err(other),
    }
}

/// What the proofs work with.
struct Work<'a> {
    site: &'a Site<'a>,
    wish: &'a Wish,
    checkout: &'a build::Checkout,
    items: &'a [build::Item],
    environment: Option<&'a str>,
    /// The files that are proven; all if nothing is said.
    chosen: Option<BTreeSet<String>>,
}

impl Work<'_> {
    /// Returns true if a file is among those that are proven.
    fn is_chosen(&self, item: &build::Item) -> bool {
        let down = item.down.as_ref().map(|unit| unit.text.file());
        self.chosen
            .as_ref()
            .is_none_or(|chosen| chosen.contains(&item.file) || down.is_some_and(|down| chosen.contains(down)))
    }

    /// Returns the first thing that reaches out of its database, of everything that is run here: ways back too, and
    /// what other revisions have.
    fn reaches(&self, others: &[&Project]) -> Option<String> {
        let dialect = self.checkout.dialect;
        let downs = self.items.iter().filter_map(|item| item.down.as_ref());
        let mut projects = std::iter::once(self.site.project).chain(others.iter().copied());
        let found = projects.find_map(|project| build::reaches_out(project, dialect));
        found.or_else(|| downs.filter_map(|down| reaching(down, dialect)).next())
    }

    fn all(&self, report: &mut Report, observer: &mut dyn Observer) -> Result<(), Error> {
        let Some(walked) = walk::walk(self, report, observer)? else { return Ok(()) };
        roads::roads(self, walked, report, observer)?;
        if self.wish.quick {
            return Ok(());
        }
        offline::offline(self, report, observer)?;
        if let Some(against) = &self.wish.against {
            order::order(self, against, report, observer)?;
        }
        Ok(())
    }
}

fn reaching(unit: &Unit, dialect: Dialect) -> Option<String> {
    let what = build::reaches_out_of(unit.text.as_str(), dialect)?;
    Some(format!("{}: {what}", unit.text.file()))
}
