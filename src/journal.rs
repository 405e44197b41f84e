//! The version table: its entries as values. What the tables look like in a database is the engine's business
//! (`docs/reference/journal.md` is the contract); which scripts are pending, altered or late is `reconcile`'s.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::script::Checksum;

mod reconcile;
mod state;

pub use reconcile::reconcile;
pub use state::{Reconciled, State, Status};

/// The version of the journal's own tables that this program writes.
pub const FORMAT: u32 = 1;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Kind {
    Script,
    Code,
    Seed,
    TestData,
    Down,
    Access,
    Baseline,
}

impl Kind {
    /// Every kind with its word in the journal.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Script, "script"),
        (Self::Code, "code"),
        (Self::Seed, "seed"),
        (Self::TestData, "test-data"),
        (Self::Down, "down"),
        (Self::Access, "access"),
        (Self::Baseline, "baseline"),
    ];

    /// Returns the word in the journal.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("script", |(_, word)| word)
    }

    /// Reads the word in the journal.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }
}

/// The states that are stored; pending, altered, late and the like are derived from these and the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Stored {
    Running,
    Applied,
    Adopted,
    Reverted,
    Squashed,
}

impl Stored {
    /// Every stored state with its word in the journal.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Running, "running"),
        (Self::Applied, "applied"),
        (Self::Adopted, "adopted"),
        (Self::Reverted, "reverted"),
        (Self::Squashed, "squashed"),
    ];

    /// Returns the word in the journal.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("applied", |(_, word)| word)
    }

    /// Reads the word in the journal.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(state, _)| *state)
    }
}

/// The newest row of one kind and key, as far as planning needs it: no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The order in which rows were written.
    pub sequence: i64,
    /// What it is about.
    pub kind: Kind,
    /// A script's version in canonical form, or a file's name.
    pub key: String,
    /// 1 for the first row of this kind and key.
    pub attempt: i32,
    /// The script's name, or the file's path in the project.
    pub name: String,
    /// The checksum of the text that ran.
    pub checksum: Checksum,
    /// The checksum of its tokens.
    pub token_checksum: Checksum,
    /// How far it came.
    pub state: Stored,
    /// Of a running script: how many statements are done.
    pub statements_done: i32,
    /// How many statements the script has.
    pub statements: i32,
}

/// Keeps the newest entry of each kind and key, of entries in the order in which they were written.
pub fn newest(entries: Vec<Entry>) -> Vec<Entry> {
    // Mostly nothing has run twice.
    if entries.iter().all(|entry| entry.attempt == 1) {
        return entries;
    }
    let newest: HashMap<(Kind, &str), i64> =
        entries.iter().map(|entry| ((entry.kind, entry.key.as_str()), entry.sequence)).collect();
    let newest: HashSet<i64> = newest.into_values().collect();
    entries.into_iter().filter(|entry| newest.contains(&entry.sequence)).collect()
}

/// A row to be written. The engine adds `sequence`, both times (its own clock, UTC), the duration and
/// `applied_by` (the login role).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// The project's name.
    pub project: String,
    /// What it is about.
    pub kind: Kind,
    /// A script's version in canonical form, or a file's name.
    pub key: String,
    /// A text that sorts bytewise as the versions do; for files, the key itself.
    pub order_key: String,
    /// One more than the last attempt seen. Whoever inserts nothing was beaten to it.
    pub attempt: i32,
    /// The script's name, or the file's path in the project.
    pub name: String,
    /// The checksum of the text.
    pub checksum: Checksum,
    /// The checksum of its tokens.
    pub token_checksum: Checksum,
    /// The text itself, unless a setting or the kind leaves it out.
    pub text: Option<String>,
    /// The state once it is done: applied, adopted, reverted or squashed.
    pub state: Stored,
    /// How many statements the text has.
    pub statements: i32,
    /// For code: the objects it makes, `view customer_view`.
    pub objects: Vec<String>,
}

/// What is the same for every entry that one run of the tool writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// A random name for this run.
    pub id: String,
    /// The tool's version.
    pub tool_version: String,
    /// The git commit of the checkout, if there is one.
    pub source_revision: Option<String>,
}

/// The environment's name and protection, written inside the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// `development`, `staging`, `production` or a team's own word.
    pub environment: String,
    /// True if destructive commands must be refused.
    pub protected: bool,
}
