//! `make` for a database: ordered, checksummed, idempotent SQL scripts for PostgreSQL and SQLite.
//!
//! This is the library behind the command `dbbuild`. A program uses it to bring its own database up when it
//! starts, and a test to have a database of its own. (What the command does is told in its own help and in the
//! repository's `docs/`.)
//!
//! # Bringing the database up at start-up
//!
//! A project is a folder with scripts in `db/`. [`Builder`] runs those that the database lacks, each in one
//! transaction with its row in the journal; the second start does nothing:
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! # std::fs::create_dir(folder.join("db"))?;
//! # std::fs::write(folder.join("db/0001_create_note.sql"), "create table if not exists note (text text);")?;
//! use dbbuild::{Builder, Project};
//!
//! let project = Project::open(folder)?;
//! let report = Builder::new(&project).url("sqlite:notes.db").build()?;
//! assert_eq!(report.version.as_deref(), Some("1"));
//!
//! let again = Builder::new(&project).url("sqlite:notes.db").build()?;
//! assert_eq!(again.steps, 0);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```
//!
//! # Scripts inside the program
//!
//! With `dbbuild` among the build dependencies too, a `build.rs` puts the scripts into the program: [`embed!`]
//! reads and checks the folder (what is wrong with a script stops the compiler, with file and line), and
//! [`embedded!`] is the project:
//!
//! ```ignore
//! // build.rs
//! fn main() {
//!     dbbuild::embed!(".");
//! }
//!
//! // src/main.rs
//! let project = dbbuild::embedded!()?;
//! dbbuild::Builder::new(&project).url(&database_url).build()?;
//! ```
//!
//! A program needs the feature of its engine only:
//!
//! ```toml
//! [dependencies]
//! dbbuild = { version = "0.1", default-features = false, features = ["sqlite"] }
//!
//! [build-dependencies]
//! dbbuild = { version = "0.1", default-features = false }
//! ```
//!
//! # Databases for tests
//!
//! [`TestDatabase`] is a database of a test's own, built from the project, that goes when the value is dropped.
//!
//! # What the library does not do
//!
//! It never reads the process's environment, prints, or exits. What connecting depends on (`PGPASSWORD`, the
//! search path, the home folder) comes in a [`Host`]; what happens is told as [`Event`]s to an observer.
//! It is synchronous. The PostgreSQL driver brings its own runtime and cannot be used on a thread that runs async
//! code: there the library says so in its error; call it in `tokio::task::spawn_blocking`.
//!
//! # How it is made
//!
//! 1. [`project`] reads `dbbuild.toml`, finds the files and resolves the target.
//! 2. [`sql`] cuts texts into statements without parsing them; [`script`] adds versions, directives and checksums.
//! 3. [`build::discover`] makes scripts, code objects and seeds of the files.
//! 4. [`engine`] opens a session with the database and reads the journal.
//! 5. [`journal::reconcile`] compares scripts and journal: pending, altered, moved, missing, ahead, late.
//! 6. A [`build::Plan`] says what is to be done, as a value; [`build::survey`] ends here and writes nothing.
//! 7. [`build::build`] takes the build lock, plans again, and executes the plan in the one loop over steps:
//! 8. scripts and code objects go to [`engine::Session::apply`], each with its entry, in one transaction;
//! 9. seeds bring their rows to the state of their files;
//! 10. and the baseline is written, where the target asks for it.

pub mod accept;
pub mod adopt;
pub mod build;
mod builder;
#[cfg(feature = "cli")]
pub mod cli;
pub mod drift;
pub mod embed;
pub mod engine;
pub mod error;
pub mod event;
pub mod git;
pub mod hooks;
pub mod host;
pub mod init;
pub mod interrupt;
pub mod journal;
pub mod lint;
pub mod new_version;
pub mod numbering;
pub mod project;
pub mod renumber;
pub mod script;
pub mod show;
pub mod sql;
pub mod squash;
pub mod testing;
pub mod verify;

pub use build::{Plan, Report, Survey};
pub use builder::Builder;
pub use error::Error;
pub use event::{Event, Observer};
pub use host::Host;
pub use interrupt::Interrupt;
pub use project::Project;
pub use script::Version;
pub use testing::TestDatabase;
