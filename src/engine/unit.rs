//! What an engine is given to run: a text, cut and judged beforehand, together with its journal entry.

use std::time::Duration;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::event::{Event, grouped};
use crate::journal::{Entry, NewEntry};
use crate::script::Text;
pub use crate::script::{Part, PlacedGuard};

/// A script, code object or SQL seed, ready to run. Text and entry go together, so that no caller can run the
/// one without writing the other.
#[derive(Debug, Clone)]
pub struct Unit {
    /// The row that is written in the same transaction (or, without one, advanced statement by statement).
    pub entry: NewEntry,
    /// The normalised text; `Text::place` leads from a span of it to file, line and column.
    pub text: Text,
    /// What to run, in order.
    pub parts: Vec<Part>,
    /// The guards that parts refer to.
    pub guards: Vec<PlacedGuard>,
    /// How it runs.
    pub mode: Mode,
    /// The text's own limit for waiting on a lock; the target's applies where there is none.
    pub lock_timeout: Option<Duration>,
    /// The text's own limit for a statement.
    pub statement_timeout: Option<Duration>,
    /// For a script that an earlier run left half-way: its entry.
    pub running: Option<Entry>,
    /// The code objects, by names as written, that are taken away before the text runs.
    pub suspends: Vec<String>,
    /// False if the text holds what must not share a transaction with other scripts.
    pub fusible: bool,
    /// SQLite: what stands in double quotes and is no name is text.
    pub double_quoted_text: bool,
    /// PostgreSQL: what the text asks of its transaction.
    pub isolation: Option<crate::sql::Isolation>,
}

impl Unit {
    /// Returns what it is called in events: its file without folders and suffix.
    pub fn step_name(&self) -> String {
        let file = self.text.file();
        let name = file.rsplit('/').next().unwrap_or(file);
        let stem = name.strip_suffix(".sql").unwrap_or(name);
        if stem.is_empty() { self.entry.name.clone() } else { stem.to_owned() }
    }

    /// Tells how far a batch is that is repeated until no row is left.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(super) fn pass(&self, passes: u64, rows: u64) -> Event {
        let message = format!("pass {}, {} rows", grouped(passes), grouped(rows));
        Event::Progress { name: self.step_name(), message, done: None }
    }
}

/// How a unit runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// In one transaction with its entry.
    Transaction,
    /// The same, with SQLite's foreign keys off around it and checked before the commit.
    ForeignKeysOff,
    /// Statement by statement, with the progress in the entry; an interrupted one resumes.
    Statements,
}

/// A CSV seed, ready to load.
#[derive(Debug, Clone)]
pub struct RowSeed {
    /// The row that is written in the same transaction.
    pub entry: NewEntry,
    /// Where the rows come from, for messages: `seed/010_country.csv`.
    pub file: String,
    /// Where the rows are.
    pub source: RowSource,
    /// The table, as written: `country` or `reference.country`.
    pub table: String,
    /// The columns that identify a row; empty for the table's primary key.
    pub key: Vec<String>,
    /// How rows that are there already are treated.
    pub mode: SeedMode,
    /// The text that means NULL; none means that an unquoted empty field does.
    pub null: Option<String>,
}

/// Where the bytes of a CSV seed are.
#[derive(Debug, Clone)]
pub enum RowSource {
    /// In a file.
    File(std::path::PathBuf),
    /// In the program.
    Embedded(&'static [u8]),
}

/// How the rows of a CSV seed and those of the table are brought together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SeedMode {
    /// Writes rows whose file content changed, deletes those that left the file, leaves people's rows alone.
    #[default]
    Tracked,
    /// Inserts or updates each row of the file.
    Upsert,
    /// Inserts rows that are missing.
    Insert,
    /// Makes the table exactly the file.
    Sync,
}
