//! Proofs instead of promises: scripts, code and seeds are run in scratch databases, twice and in other ways, and
//! what they make is compared.
//!
//! Promises: no target is touched, and no protected server is used; whole files first, single statements only where
//! something differs or fails, so that a finding names the statement; a second run is undone, so that a finding
//! does not spoil the proofs that follow it; an interrupted verification reports what was proven before, and what was
//! not.

mod account;
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
mod outside;
mod points;
mod report;
mod revision;
mod roads;
mod since;
mod squashed;
mod stage;
mod twice;
mod walk;

pub use change::{Change, RowChange, RowFate};
pub use report::{Finding, Kept, Level, Measured, Outcome, Proof, Report, Said, Skipped, Volatile};

use std::collections::BTreeSet;

use crate::build::{self, Site, discover, history};
use crate::engine::{EngineError, Unit};
use crate::error::Error;
use crate::event::Observer;
use crate::journal::Kind;
use crate::project::Project;
use crate::sql::Dialect;
use account::{Account, Phase};

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Let the order of columns, generated names and sequences that moved on count too.
    pub strict: bool,
    /// Try the crash points of transactional scripts too.
    pub thorough: bool,
    /// Prove only what changed since the merge base, and only what can be proven quickly.
    pub quick: bool,
    /// Stop at the first proof that fails, and leave its scratch database behind.
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
    let work = Work { site, wish, checkout: &checkout, items: &items, environment: environment.as_deref(), chosen };
    let mut account = Account::new(&work, work.phases(), observer);
    let ended = work.all(&mut account);
    let mut report = account.report;
    match ended {
        Ok(()) => return Ok(report),
        Err(Halt::Kept(kept)) => report.kept = Some(kept),
        Err(Halt::Failed(Error::Engine(EngineError::Interrupted { .. }))) => report.interrupted = true,
        Err(Halt::Failed(error)) => return Err(error),
    }
    let begun: BTreeSet<Proof> = work.proofs().into_iter().chain(report.proofs.keys().copied()).collect();
    report.unfinished = begun.into_iter().filter(|proof| !report.is_finished(*proof)).collect();
    Ok(report)
}

/// Why a verification stops before its end.
enum Halt {
    /// Somebody asked to stop, or something is wrong that is not the scripts' fault.
    Failed(Error),
    /// A proof failed, and its database is left behind.
    Kept(Kept),
}

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
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
        let found = self.projects(others).find_map(|project| build::reaches_out(project, dialect));
        found.or_else(|| downs.filter_map(|down| reaching(down, dialect)).next())
    }

    /// Returns what may be the name of a role that one of these projects makes.
    fn roles(&self, others: &[&Project]) -> BTreeSet<String> {
        self.projects(others).flat_map(|project| build::role_names(project, self.checkout.dialect)).collect()
    }

    /// Returns true if a text of one of these projects names a role.
    fn names(&self, others: &[&Project], role: &str) -> bool {
        self.projects(others).any(|project| build::names(project, self.checkout.dialect, role))
    }

    fn projects<'b>(&'b self, others: &'b [&'b Project]) -> impl Iterator<Item = &'b Project> {
        std::iter::once(self.site.project).chain(others.iter().copied())
    }

    /// Returns the proofs that are asked for and have something to be about.
    fn proofs(&self) -> Vec<Proof> {
        let any = |is: &dyn Fn(&build::Item) -> bool| self.items.iter().any(|item| self.is_chosen(item) && is(item));
        let is_there = |proof: &Proof| match proof {
            Proof::Twice => any(&|item| item.kind != Kind::Seed),
            Proof::Seeds => any(&|item| item.kind == Kind::Seed),
            Proof::Roads => true,
            Proof::Offline => !self.wish.quick,
            Proof::Again => !self.wish.quick && any(&|item| item.kind == Kind::Script),
            Proof::Order => self.wish.against.is_some(),
            Proof::Back => !self.wish.quick && any(&|item| item.down.is_some()),
            Proof::CrashPoints => !self.wish.quick && any(&|item| self.wish.thorough || outside::of(item).is_some()),
            // Whether there is anything to tell of them shows as it comes.
            Proof::Locks => false,
        };
        Proof::ALL.iter().map(|(proof, ..)| *proof).filter(is_there).collect()
    }

    /// Returns the stretches of the whole, for an estimate.
    fn phases(&self) -> Vec<Phase> {
        let files = self.items.len();
        let scripts = self.items.iter().filter(|item| item.kind == Kind::Script).count();
        let phase = |name, steps, cost| Phase { name, steps, cost };
        let mut phases = vec![phase("files", files, if self.wish.quick { 2.0 } else { 3.0 })];
        if !self.wish.quick {
            phases.push(phase("again", scripts, 0.5));
            phases.push(phase("roads", files * (2 + 2 * self.wish.releases.len()), 0.5));
            phases.push(phase("offline", 1, files as f64));
            phases.push(phase("order", if self.wish.against.is_some() { 2 * files } else { 0 }, 1.0));
        }
        phases
    }

    fn all(&self, account: &mut Account<'_>) -> Result<(), Halt> {
        let Some(walked) = walk::walk(self, account)? else { return Ok(()) };
        let fresh = account.timed(Proof::Roads, |account| roads::roads(self, walked, account))?;
        account.report.finish(Proof::Roads);
        if self.wish.quick {
            return Ok(());
        }
        account.timed(Proof::Offline, |account| offline::offline(self, &fresh, account))?;
        account.report.finish(Proof::Offline);
        if let Some(against) = &self.wish.against {
            account.timed(Proof::Order, |account| order::order(self, against, &fresh.moving, account))?;
            account.report.finish(Proof::Order);
        }
        Ok(())
    }
}

fn reaching(unit: &Unit, dialect: Dialect) -> Option<String> {
    let what = build::reaches_out_of(unit.text.as_str(), dialect)?;
    Some(format!("{}: {what}", unit.text.file()))
}
