//! A project and the database it is built into, which every stage is handed.

use crate::engine::{self, Engine};
use crate::error::Error;
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::journal::Run;
use crate::project::{Project, Target};

/// A project and the database it is built into.
#[derive(Clone)]
pub struct Site<'a> {
    /// The project.
    pub project: &'a Project,
    /// The target.
    pub target: &'a Target,
    /// The target's engine.
    pub engine: &'a dyn Engine,
    /// A wish to stop.
    pub interrupt: &'a Interrupt,
    /// What is the same for every entry that is written.
    pub run: Run,
    /// True if the target is protected, as far as is known.
    pub protected: bool,
    /// True if the program ends with this work: what would only give memory back is left out then.
    pub ends: bool,
}

impl<'a> Site<'a> {
    /// Joins a project with a target's engine.
    pub fn new(project: &'a Project, target: &'a Target, engine: &'a dyn Engine, interrupt: &'a Interrupt) -> Self {
        let run = Run {
            id: format!("{:016x}", fastrand::u64(..)),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            source_revision: None,
        };
        let protected = target.protected.unwrap_or(target.environment.as_deref() == Some("production"));
        Self { project, target, engine, interrupt, run, protected, ends: false }
    }

    /// Returns this site with the checkout's commit in its run. Git is asked only when something is written.
    pub fn with_revision(&self) -> Self {
        self.at_revision(self.revision())
    }

    /// Returns this site with a commit in its run.
    pub fn at_revision(&self, source_revision: Option<String>) -> Self {
        Self { run: Run { source_revision, ..self.run.clone() }, ..self.clone() }
    }

    /// Asks git for the checkout's commit.
    pub fn revision(&self) -> Option<String> {
        self.project.files.root().and_then(crate::git::Repository::head_around)
    }
}

/// Opens a target's engine.
pub fn open(target: &Target, host: &Host, interrupt: &Interrupt) -> Result<Box<dyn Engine>, Error> {
    Ok(engine::open(target, host, interrupt)?)
}
