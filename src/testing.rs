//! Databases for tests: each test has its own, built from the project, gone when the test is over.

use crate::build::{self, Site, Wish};
use crate::engine::{Access, Engine, Scratch, ScratchWish};
use crate::error::Error;
use crate::event::Silent;
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::journal::Mark;
use crate::project::{Project, Secret, Selection, Target};

/// A throwaway database with everything that a project builds.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// # std::fs::create_dir(folder.join("db"))?;
/// # std::fs::write(folder.join("db/0001_create_note.sql"), "create table if not exists note (text text);")?;
/// let project = dbbuild::Project::open(folder)?;
/// let database = dbbuild::TestDatabase::sqlite(&project)?;
/// let path = database.path().ok_or("a SQLite database is a file")?;
/// assert!(path.is_file());
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
pub struct TestDatabase<'a> {
    project: &'a Project,
    target: Target,
    url: Secret,
    scratch: Scratch,
}

impl<'a> TestDatabase<'a> {
    /// Makes a SQLite database in a temporary file.
    pub fn sqlite(project: &'a Project) -> Result<Self, Error> {
        Self::like(project, "sqlite::memory:", &Host::default())
    }

    /// Makes a PostgreSQL database on a private server, from installed programs that the host's `PATH` or the usual
    /// folders have. The server keeps its data in the host's cache folder, so that only the first one is slow.
    pub fn postgres(project: &'a Project, host: &Host) -> Result<Self, Error> {
        Self::like(project, "postgresql:///postgres", host)
    }

    /// Makes a database for tests where scratch databases of a target are made: a server of its own with the same
    /// major version, or else, for want of programs, beside the target's database. It is never that database.
    pub fn like(project: &'a Project, url: &str, host: &Host) -> Result<Self, Error> {
        let selection = Selection { url: Some(url.to_owned()), target: None };
        let (target, _) = project.target(&selection, host)?;
        let engine = build::open(&target, host, &Interrupt::default())?;
        let reaches = || build::reaches_out(project, engine.dialect());
        let roles = || build::role_names(project, engine.dialect());
        let wish = ScratchWish { reaches: &reaches, roles: &roles, ..ScratchWish::empty(false) };
        let scratch = engine.scratch(&wish, &mut Silent)?;
        let database = Self { project, url: scratch.engine.url(), target, scratch };
        database.build()?;
        Ok(database)
    }

    /// Loads the project's test data, `seed/test/`.
    pub fn with_test_data(self) -> Result<Self, Error> {
        let interrupt = Interrupt::default();
        build::test_data(&self.site(&interrupt), &mut Silent)?;
        Ok(self)
    }

    /// Returns the address to connect to.
    pub fn url(&self) -> &str {
        self.url.reveal()
    }

    /// Returns the file of a SQLite database.
    pub fn path(&self) -> Option<&std::path::Path> {
        self.url().strip_prefix("sqlite:").map(std::path::Path::new)
    }

    /// Returns the engine of the database.
    pub fn engine(&self) -> &dyn Engine {
        &*self.scratch.engine
    }

    fn build(&self) -> Result<(), Error> {
        let interrupt = Interrupt::default();
        let site = self.site(&interrupt);
        let checkout = build::discover(self.project, site.engine.dialect())?;
        let mark = Mark { environment: "development".to_owned(), protected: false };
        let wish = Wish { no_baseline: true, ..Wish::default() };
        let mut session = site.engine.connect(Access::Write)?;
        build::build_into(&site, &checkout, &wish, Some(&mark), &mut *session, &mut Silent)?;
        Ok(())
    }

    fn site<'b>(&'b self, interrupt: &'b Interrupt) -> Site<'b> {
        Site::new(self.project, &self.target, &*self.scratch.engine, interrupt)
    }
}
