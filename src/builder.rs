//! The library in one value: a project, a target, and what a program has to say about the two.

use crate::build::{self, Plan, Report, Site, Survey, Wish};
use crate::engine::Engine;
use crate::error::Error;
use crate::event::{Event, Observer, Silent};
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::project::{Project, Selection, Target};
use crate::script::Version;

/// Brings a database to the state of a project.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use dbbuild::{Builder, Event, Host, Project};
///
/// let project = Project::open("/srv/shop".as_ref())?;
/// let host = Host {
///     variables: [("PGPASSWORD".to_owned(), "secret".to_owned())].into(),
///     temporary: std::env::temp_dir(),
///     ..Host::default()
/// };
/// let report = Builder::new(&project)
///     .host(host)
///     .url("postgresql://shop@db.example/shop")
///     .observe(|event: Event| eprintln!("{event:?}"))
///     .build()?;
/// println!("version {}", report.version.unwrap_or_default());
/// # Ok(())
/// # }
/// ```
pub struct Builder<'a> {
    project: &'a Project,
    selection: Selection,
    host: Host,
    interrupt: Interrupt,
    wish: Wish,
    observer: Box<dyn Observer + 'a>,
}

impl<'a> Builder<'a> {
    /// Begins with a project. Without more, the target is the one that its settings name.
    ///
    /// A program writes no baseline; `dbbuild`, which the developers run, does.
    pub fn new(project: &'a Project) -> Self {
        Self {
            project,
            selection: Selection::default(),
            host: Host::default(),
            interrupt: Interrupt::default(),
            wish: Wish { no_baseline: true, ..Wish::default() },
            observer: Box::new(Silent),
        }
    }

    /// Names the database: `postgresql://user@host/database`, `sqlite:PATH`. A SQLite path is relative to the
    /// project's folder; to the current one, if the project is embedded.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.selection = Selection { url: Some(url.into()), target: None };
        self
    }

    /// Names a target of the project's settings.
    #[must_use]
    pub fn target(mut self, name: impl Into<String>) -> Self {
        self.selection = Selection { url: None, target: Some(name.into()) };
        self
    }

    /// Says what connecting may know of the machine: variables, folders, the user. Nothing is read from the
    /// process itself.
    #[must_use]
    pub fn host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }

    /// Stops at a version, and leaves code objects and seeds alone.
    #[must_use]
    pub fn to(mut self, version: Version) -> Self {
        self.wish.to = Some(version);
        self
    }

    /// Says what else is wished; `url`, `target` and the rest stay as they are.
    #[must_use]
    pub fn wish(mut self, wish: Wish) -> Self {
        self.wish = wish;
        self
    }

    /// Listens for a wish to stop.
    #[must_use]
    pub fn interrupt(mut self, interrupt: Interrupt) -> Self {
        self.interrupt = interrupt;
        self
    }

    /// Tells somebody what happens.
    #[must_use]
    pub fn observe(mut self, observer: impl FnMut(Event) + 'a) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Brings the database to the state of the project.
    pub fn build(mut self) -> Result<Report, Error> {
        let (target, engine) = self.open()?;
        let site = Site::new(self.project, &target, &*engine, &self.interrupt);
        build::build(&site, &self.wish, None, &mut *self.observer)
    }

    /// Looks how database and project stand to each other. Writes nothing.
    pub fn status(self) -> Result<Survey, Error> {
        let (target, engine) = self.open()?;
        build::survey(&Site::new(self.project, &target, &*engine, &self.interrupt), &self.wish)
    }

    /// Returns what a build would do, or fails as it would refuse. Writes nothing.
    pub fn plan(self) -> Result<Plan, Error> {
        Ok(self.status()?.plan?)
    }

    fn open(&self) -> Result<(Target, Box<dyn Engine>), Error> {
        let (target, _) = self.project.target(&self.selection, &self.host)?;
        let engine = build::open(&target, &self.host, &self.interrupt)?;
        Ok((target, engine))
    }
}
