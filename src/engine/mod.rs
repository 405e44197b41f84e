//! The traits through which everything above talks to a database, and the one place that names both engines.
//!
//! The traits speak intentions (`exclusive`, `apply`, `load_rows`), not mechanisms, so that an engine without
//! interactive transactions fits too. `apply` takes a text *and* its journal entry: no caller can separate them.

use std::path::Path;
use std::time::Duration;

use crate::event::Observer;
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::journal::{Entry, Kind, Mark, NewEntry, Run};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::project::Address;
use crate::project::{Secret, Target};
use crate::sql::Dialect;

pub mod catalog;
pub mod code;
pub mod contents;
pub mod dump;
pub mod failure;
pub mod offline;
mod row_file;
mod scratch;
pub mod trial;
// SQLite has its own words for some of it.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[cfg_attr(not(feature = "postgres"), allow(dead_code))]
mod rows;
mod unit;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "postgres")]
#[doc(hidden)]
pub use postgres::PrivateServer;

pub use catalog::{Catalog, Object, Row, TableRows};
pub use code::{Again, CodeFile, CodeWork, GoneFile, Keeping, Kept};
pub use contents::Moved;
pub use dump::{DumpPart, DumpWish, Load};
pub(crate) use failure::of_file;
pub use failure::{EngineError, SqlFailure, UnitFailure};
pub use offline::Offline;
pub use row_file::{RowFile, RowForm, RowPiece, RowText};
pub use scratch::{Builder, Clock, Scratch, ScratchWish, Throwaway};
pub use trial::Trial;
pub use unit::{Mode, Part, PlacedGuard, RowSeed, RowSource, SeedMode, Unit};

/// The result of an engine's work.
pub type Result<T> = std::result::Result<T, EngineError>;

/// A database product together with one database of it.
pub trait Engine: Send + Sync {
    /// Returns the SQL grammar; its name is the engine's name in file suffixes and folders.
    fn dialect(&self) -> Dialect;

    /// Returns the target without secrets: `sqlite:target/shop.db`, `postgresql://shop@db.example/shop`.
    fn describe(&self) -> String;

    /// Returns the database's name, which `--i-mean` asks for.
    fn database(&self) -> String;

    /// Returns true if the database is on this machine (a file, a socket, the loopback interface).
    fn is_local(&self) -> bool;

    /// Returns how many statements of several scripts may share a transaction. The default is an estimate of
    /// locks, of which a PostgreSQL server's default settings hold about 6,400.
    fn most_fused(&self) -> usize {
        1_500
    }

    /// Opens a session. `Access::Read` creates nothing; a database that is not there is `NoDatabase`.
    fn connect(&self, access: Access) -> Result<Box<dyn Session>>;

    /// Waits until no builder holds the build lock, for databases that cannot even be read while one writes.
    fn wait_for_builder(&self, _wait: Wait, _observer: &mut dyn Observer) -> Result<()> {
        Ok(())
    }

    /// Returns true if the database is there.
    fn exists(&self) -> Result<bool>;

    /// Creates the database; returns false if it was there.
    fn create(&self) -> Result<bool>;

    /// Drops the database; returns false if it was not there.
    fn drop_database(&self) -> Result<bool>;

    /// Refuses a text that this target cannot run: a guard that the engine cannot answer, a script that needs the
    /// session's build lock where there is none. Nothing is connected; every text of a build is asked for before
    /// the first one runs.
    fn judge(&self, unit: &Unit) -> Result<()>;

    /// Makes a throwaway database for building and comparing; it goes when the value is dropped.
    fn scratch(&self, wish: &ScratchWish<'_>, observer: &mut dyn Observer) -> Result<Scratch>;

    /// Returns the address with the password in it, if it holds one: for a program that connects by itself.
    fn url(&self) -> Secret;

    /// Begins to read a file of rows that `dump` wrote; nothing if it is none.
    fn row_file(&self, file: Box<dyn std::io::BufRead>) -> Option<RowFile>;

    /// Returns what writes a script for the database's own shell. Nothing is connected.
    fn offline(&self) -> Box<dyn Offline + '_>;
}

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Look only.
    Read,
    /// Change.
    Write,
}

/// What dbbuild knows of a database before it does anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The newest row of each kind and key in this project, in the order written; `None` without a journal.
    pub journal: Option<Vec<Entry>>,
    /// Names of the projects whose rows are in the journal, where this one has none.
    pub other_projects: Vec<String>,
    /// The database's mark.
    pub mark: Option<Mark>,
    /// Where nothing is journaled: names of a few objects that are there (at most ten); empty for an empty database.
    pub objects: Vec<String>,
    /// The server's major version (`15`; SQLite: `3`).
    pub major: u32,
}

impl Inspection {
    /// Returns what is known of a database that is not there yet.
    pub fn empty() -> Self {
        Self { journal: None, other_projects: Vec::new(), mark: None, objects: Vec::new(), major: 0 }
    }

    /// Returns true for a database in which nothing was built: an empty journal is what a builder leaves that was
    /// stopped at once.
    pub fn is_untouched(&self) -> bool {
        self.journal.as_ref().is_none_or(Vec::is_empty) && self.other_projects.is_empty() && self.objects.is_empty()
    }
}

/// What came of one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It ran and is journaled.
    Applied(Applied),
    /// Another builder had claimed it; the journal must be read again.
    Taken,
}

/// How a unit ran.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// How long it took.
    pub duration: Duration,
    /// Statements that ran.
    pub statements: usize,
    /// Statements that a guard left out.
    pub skipped: usize,
    /// Passes of `repeat` batches.
    pub passes: u64,
    /// Rows that INSERT, UPDATE, DELETE and COPY reported, where the engine knows.
    pub rows: u64,
}

/// How rows were loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// How long it took.
    pub duration: Duration,
    /// Rows in the file.
    pub rows: u64,
    /// Rows that were not in the table.
    pub inserted: u64,
    /// Rows that were there with other values.
    pub updated: u64,
    /// Rows that were deleted.
    pub deleted: u64,
    /// On the first run: rows that were there already and were overwritten.
    pub overwritten: u64,
}

/// How long to wait for the build lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// The limit; `None` waits for ever.
    pub limit: Option<Duration>,
}

/// Says whether a database that has this catalog and these rows is wanted, and of whose rows that moved.
pub type Judge<'a> = &'a mut dyn FnMut(&Catalog, &[Option<Vec<Row>>], &[Moved]) -> bool;

/// What a dump was made with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DumpInfo {
    /// The server's major version.
    pub server_major: u32,
    /// The dump program's major version, where one is used.
    pub dump_major: Option<u32>,
}

/// One open connection to a target.
pub trait Session: Send {
    /// Reads what there is to know in one round trip, without a lock and without writing.
    fn inspect(&mut self, project: &str) -> Result<Inspection>;

    /// Ends a session that has only read, of a program that ends soon: memory need not be given back.
    fn leave(self: Box<Self>) {}

    /// Takes the build lock, polling; tells the observer whom it waits for. It goes with the session.
    fn exclusive(&mut self, wait: Wait, observer: &mut dyn Observer) -> Result<()>;

    /// Creates or upgrades the journal's tables and, if the database has no mark, writes `mark`.
    /// Safe for many builders at once. With `soon` another call writes in a moment, whose transaction may do it.
    fn prepare(&mut self, mark: Option<&Mark>, soon: bool) -> Result<()>;

    /// Writes the mark.
    fn mark(&mut self, mark: &Mark) -> Result<()>;

    /// Runs units and writes their entries. Several units share one transaction: all or none; on an error
    /// nothing of them is kept (a single `Mode::Statements` unit keeps its finished statements).
    fn apply(&mut self, units: &[Unit], run: &Run, observer: &mut dyn Observer) -> Result<Vec<Outcome>>;

    /// Keeps the code objects as their files say, in one transaction: runs scripts while the objects that they
    /// suspend are away, runs every file that is due or whose objects are absent, different, or bound to what was made
    /// anew, drops what no text makes any more, and writes the entries. What is no code object is never dropped.
    fn keep_code(&mut self, work: &CodeWork, run: &Run, observer: &mut dyn Observer) -> Result<Keeping>;

    /// Runs units and writes their entries in one transaction, and commits only if `keep` says so of the catalog, and
    /// of the rows that have the keys of `wanted`, as they are then, and of what happened to rows of any table; those of
    /// the tables of `wanted` are told one by one. Returns nothing if it did not, or if another
    /// builder was faster; nothing is left behind then.
    fn attempt(
        &mut self,
        units: &[Unit],
        wanted: &[TableRows],
        keep: Judge<'_>,
        run: &Run,
        observer: &mut dyn Observer,
    ) -> Result<Option<Vec<Applied>>>;

    /// Returns the texts in a column of another tool's table, where a condition holds; nothing if there is no such
    /// table.
    fn foreign(&mut self, table: &str, column: &str, condition: &str) -> Result<Option<Vec<String>>>;

    /// Brings a table's rows to the state of a CSV file, and writes the entry in the same transaction.
    fn load_rows(&mut self, seed: &RowSeed, run: &Run, observer: &mut dyn Observer) -> Result<Option<Loaded>>;

    /// Writes entries without running anything (reworded, moved, adopted, contained in a baseline), in one
    /// transaction. `tracked` are the CSV seeds whose row digests become known without touching their tables.
    fn record(&mut self, entries: &[NewEntry], tracked: &[RowSeed], run: &Run) -> Result<()>;

    /// Returns the journaled text of the newest attempt of a script, code object or down script.
    fn entry_text(&mut self, project: &str, kind: Kind, key: &str) -> Result<Option<String>>;

    /// Drops every object of the project's schemas, object by object, the journal's included.
    fn reset(&mut self, observer: &mut dyn Observer) -> Result<()>;

    /// Writes schema and rows in the baseline's form into an empty folder.
    fn dump(&mut self, folder: &Path, observer: &mut dyn Observer) -> Result<DumpInfo> {
        self.dump_some(&DumpWish::default(), folder, observer)
    }

    /// Writes a part of the database in the baseline's form into an empty folder.
    fn dump_some(&mut self, wish: &DumpWish, folder: &Path, observer: &mut dyn Observer) -> Result<DumpInfo>;

    /// Loads what `dump` wrote into an empty database and writes the entries of what it contains, all in one
    /// transaction; or, where that would be more than the server has locks for, in several that an interrupted load
    /// goes on from, the entries with the last. Returns false if another builder was faster.
    fn load(&mut self, load: &Load<'_>, run: &Run, observer: &mut dyn Observer) -> Result<bool>;

    /// Reads everything that is in the database, as of one moment, without what belongs to the system, to
    /// extensions and to dbbuild.
    fn catalog(&mut self) -> Result<Catalog>;

    /// Returns each object's definition in the engine's own words: as it reads after being created in this
    /// throwaway database. Nothing where it cannot be created here, or where words do not change. Keeps nothing.
    fn reread(&mut self, objects: &[&Object]) -> Result<Vec<Option<String>>> {
        Ok(vec![None; objects.len()])
    }

    /// Reads all rows of a database that holds nothing but what scripts, code and seeds put there. Columns that
    /// are worked out are left out.
    fn seeded(&mut self) -> Result<Vec<TableRows>>;

    /// Reads the rows that have the keys of these; nothing where there is no such table, column or right.
    fn rows_like(&mut self, wanted: &TableRows) -> Result<Option<Vec<Row>>>;

    /// Opens a transaction in which units may be run, looked at, and are undone when the value is dropped. For
    /// throwaway databases.
    fn trial<'a>(&'a mut self, units: &'a [Unit]) -> Result<Box<dyn Trial + 'a>>;

    /// Runs a unit in a transaction that is undone. True if it ran to its end and surely wrote no row of a table or of
    /// the catalog, which is the cheapest way to know that; false says nothing.
    fn leaves_no_trace(&mut self, _unit: &Unit) -> Result<bool> {
        Ok(false)
    }

    /// Runs a unit in a transaction and writes its entry, as `apply` does. Returns how many rows it wrote, and what
    /// each of its statements did to what was there before. None where the engine has no such locks, or if the unit
    /// does not come to its end so, and then nothing of it is kept.
    fn measured(&mut self, _unit: &Unit, _run: &Run) -> Result<Option<(u64, Vec<trial::Seen>)>> {
        Ok(None)
    }

    /// Runs a unit and writes its entry, as `apply` does, and tells which locks were seen meanwhile on what was there
    /// before, whatever comes of the unit: for a statement that no transaction can hold. None where the engine has no
    /// such locks.
    fn watched(&mut self, unit: &Unit, run: &Run, _seen: &mut Vec<trial::Held>) -> Result<Vec<Outcome>> {
        self.apply(std::slice::from_ref(unit), run, &mut crate::event::Silent)
    }

    /// Leaves a database that was built to be thrown away or copied in its final form (sequences, statistics).
    fn settle(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Opens the engine that a target names. Nothing is connected yet.
#[cfg_attr(not(any(feature = "postgres", feature = "sqlite")), allow(unused_variables))]
pub fn open(target: &Target, host: &Host, interrupt: &Interrupt) -> Result<Box<dyn Engine>> {
    match &target.address {
        #[cfg(feature = "postgres")]
        Address::Postgres(_) => postgres::open(target, host, interrupt),
        #[cfg(feature = "sqlite")]
        Address::Sqlite(_) => sqlite::open(target, host, interrupt),
        #[cfg(not(all(feature = "postgres", feature = "sqlite")))]
        other => Err(EngineError::Refused {
            code: "engine/not-built-in",
            message: format!("this program was built without the {} engine", other.dialect().name()),
            place: None,
            hint: Some("build it with that feature of the crate `dbbuild`".into()),
        }),
    }
}
