//! A scratch database that proofs run in. One at a time: what is not inside a database (roles) is taken away
//! between two of them, so that one proof does not meet what another has left.

use super::Work as Proof;
use super::change::State;
use super::roads::Journal;
use crate::build::{self, Checkout, Fresh, Item, Site, Wish, Work, build_into};
use crate::engine::offline::Ran;
use crate::engine::trial::Held;
use crate::engine::{
    Access, Builder, Clock, EngineError, Loaded, Outcome, RowSeed, Scratch, ScratchWish, Session, Unit,
};
use crate::error::Error;
use crate::event::{Observer, Silent};
use crate::journal::{Entry, Mark};
use crate::project::{Project, Target};

/// A scratch database, and an open session on it. It goes when the value is dropped.
pub struct Stage {
    /// The session; it ends before its database goes.
    pub session: Box<dyn Session>,
    scratch: Scratch,
    target: Target,
    mark: Mark,
}

impl Stage {
    /// Makes a scratch database with a journal, and nothing in it but the base, if the project has one. `others`
    /// are the projects of other revisions of which something is run too.
    pub fn open(proof: &Proof<'_>, others: &[&Project], observer: &mut dyn Observer) -> Result<Self, Error> {
        let mut stage = Self::bare(proof, others, observer)?;
        stage.session.prepare(Some(&stage.mark), false)?;
        build::begin_with_base(proof.site, &mut *stage.session)?;
        Ok(stage)
    }

    /// Makes a scratch database in which a checkout is built, from the template that an earlier run kept if there is
    /// one.
    pub fn built(proof: &Proof<'_>, checkout: &Checkout, observer: &mut dyn Observer) -> Result<Self, Error> {
        Self::built_by(proof, checkout, Builder::Login, observer)
    }

    /// The same by a certain role.
    pub fn built_by(
        proof: &Proof<'_>,
        checkout: &Checkout,
        builder: Builder,
        observer: &mut dyn Observer,
    ) -> Result<Self, Error> {
        let reaches = || proof.reaches(&[]);
        let (site, environment) = (proof.site, proof.environment);
        let mut fresh = Fresh::begin_where(site, checkout, environment, builder, &reaches, observer)?;
        fresh.build(site, checkout, environment)?;
        let (session, scratch) = fresh.keep()?.into_parts();
        Ok(Self::of(site, environment, session, scratch))
    }

    /// Makes a scratch database with nothing in it.
    pub fn bare(proof: &Proof<'_>, others: &[&Project], observer: &mut dyn Observer) -> Result<Self, Error> {
        Self::bare_by(proof, others, Builder::Login, observer)
    }

    /// The same for a certain role.
    pub fn bare_by(
        proof: &Proof<'_>,
        others: &[&Project],
        builder: Builder,
        observer: &mut dyn Observer,
    ) -> Result<Self, Error> {
        let (reaches, roles) = (|| proof.reaches(others), || proof.roles(others));
        let protected = proof.site.protected;
        let names = |role: &str| proof.names(others, role);
        let wish = ScratchWish {
            protected,
            template: None,
            reaches: &reaches,
            roles: &roles,
            clock: Clock::Own,
            builder,
            names: &names,
        };
        let scratch = proof.site.engine.scratch(&wish, observer)?;
        let session = scratch.engine.connect(Access::Write)?;
        Ok(Self::of(proof.site, proof.environment, session, scratch))
    }

    /// Returns true if the role that builds here is one that the texts name or ask for.
    pub fn is_by_a_named_role(&self) -> bool {
        self.scratch.named_builder.is_some()
    }

    fn of(site: &Site<'_>, environment: Option<&str>, session: Box<dyn Session>, scratch: Scratch) -> Self {
        let target = Target { name: Some("scratch".into()), environment: None, protected: None, ..site.target.clone() };
        let mark = Mark { environment: environment.unwrap_or_default().to_owned(), protected: false };
        Self { session, scratch, target, mark }
    }

    /// Ends the session and begins another, which knows nothing of what the first one has set.
    pub fn reconnect(&mut self) -> Result<(), EngineError> {
        self.session = self.scratch.engine.connect(Access::Write)?;
        Ok(())
    }

    /// Ends the session, so that copies of this state can be made.
    pub fn freeze(self) -> Frozen {
        Frozen { scratch: self.scratch, target: self.target, mark: self.mark }
    }

    /// Builds a checkout from what is there.
    pub fn build(
        &mut self,
        site: &Site<'_>,
        checkout: &Checkout,
        wish: &Wish,
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        let inner = inside(&self.scratch, &self.target, site);
        build_into(&inner, checkout, wish, Some(&self.mark), &mut *self.session, observer)?;
        Ok(())
    }

    /// Runs every code file as a build does, in one transaction, and commits it.
    pub fn code(&mut self, site: &Site<'_>, checkout: &Checkout) -> Result<(), Error> {
        let inner = inside(&self.scratch, &self.target, site);
        build::run_code(&inner, checkout, &mut *self.session)
    }

    /// Runs an item and commits it. Returns how many rows it wrote.
    pub fn apply(&mut self, site: &Site<'_>, item: &Item) -> Result<u64, EngineError> {
        match &item.work {
            Work::Text(unit) => self.applied(site, unit),
            Work::Rows(rows) => self.load(site, rows).map(|loaded| loaded.inserted + loaded.updated + loaded.deleted),
        }
    }

    /// Runs a unit and commits it.
    pub fn run(&mut self, site: &Site<'_>, unit: &Unit) -> Result<(), EngineError> {
        self.applied(site, unit).map(|_| ())
    }

    fn applied(&mut self, site: &Site<'_>, unit: &Unit) -> Result<u64, EngineError> {
        let outcomes = self.session.apply(std::slice::from_ref(unit), &site.run, &mut Silent)?;
        match outcomes.first() {
            Some(Outcome::Applied(applied)) => Ok(applied.rows),
            Some(Outcome::Taken) | None => {
                let message = format!("the journal of the scratch database has {} already", unit.text.file());
                Err(EngineError::Journal(message))
            }
        }
    }

    /// Loads a CSV file and commits it.
    pub fn load(&mut self, site: &Site<'_>, rows: &RowSeed) -> Result<Loaded, EngineError> {
        let loaded = self.session.load_rows(rows, &site.run, &mut Silent)?;
        loaded.ok_or_else(|| {
            EngineError::Journal(format!("the journal of the scratch database has {} already", rows.file))
        })
    }

    /// Returns the script for the database's own shell that builds this database.
    pub fn offline_script(&self, site: &Site<'_>, wish: &Wish) -> Result<String, Error> {
        let target = Target { environment: Some(self.mark.environment.clone()), ..self.target.clone() };
        let target = if self.mark.environment.is_empty() { self.target.clone() } else { target };
        let inner = inside(&self.scratch, &target, site);
        build::offline_script(&inner, wish, None)
    }

    /// Runs a script in the database's own shell; `None` where it is not installed.
    pub fn shell(&self, site: &Site<'_>, script: &str) -> Result<Option<(&'static str, Ran)>, EngineError> {
        let offline = self.scratch.engine.offline();
        let ran = offline.run(script, site.interrupt)?;
        if site.interrupt.is_raised() {
            return Err(EngineError::Interrupted { kept: "nothing of a proof is kept".into() });
        }
        Ok(ran.map(|ran| (offline.shell(), ran)))
    }

    /// Runs a unit and commits it, and tells which locks were seen meanwhile.
    pub fn watched(&mut self, site: &Site<'_>, unit: &Unit, seen: &mut Vec<Held>) -> Result<(), EngineError> {
        self.session.watched(unit, &site.run, seen).map(|_| ())
    }

    /// Returns what is journaled.
    pub fn journal(&mut self, site: &Site<'_>) -> Result<Journal, EngineError> {
        let inspection = self.session.inspect(&site.project.name)?;
        let line = |entry: &Entry| {
            let state = entry.state.as_str().to_owned();
            (entry.kind.as_str().to_owned(), entry.key.clone(), entry.attempt, entry.checksum.to_string(), state)
        };
        Ok(inspection.journal.unwrap_or_default().iter().map(line).collect())
    }

    /// Looks at everything.
    pub fn state(&mut self) -> Result<State, EngineError> {
        State::whole(&mut *self.session.trial(&[])?)
    }

    /// Leaves the database behind, and returns how it is reached.
    pub fn leave(&mut self) -> String {
        self.scratch.leave();
        self.scratch.engine.url().reveal().to_owned()
    }
}

/// Returns a site whose database is the scratch one.
fn inside<'a>(scratch: &'a Scratch, target: &'a Target, site: &Site<'a>) -> Site<'a> {
    Site { engine: &*scratch.engine, target, protected: false, ..site.clone() }
}

/// A state of a scratch database, to be copied as often as one likes.
pub struct Frozen {
    scratch: Scratch,
    target: Target,
    mark: Mark,
}

impl Frozen {
    /// Makes another scratch database in this state; nothing where a copy would not be whole.
    pub fn copy(&mut self) -> Result<Option<Stage>, Error> {
        let Some(scratch) = self.scratch.copy()? else { return Ok(None) };
        let session = scratch.engine.connect(Access::Write)?;
        Ok(Some(Stage { session, scratch, target: self.target.clone(), mark: self.mark.clone() }))
    }

    /// Opens the database itself.
    pub fn thaw(self) -> Result<Stage, Error> {
        let session = self.scratch.engine.connect(Access::Write)?;
        Ok(Stage { session, scratch: self.scratch, target: self.target, mark: self.mark })
    }
}
