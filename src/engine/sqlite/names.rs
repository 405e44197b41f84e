//! The names of the journal's tables, as SQL text and as SQLite stores them.

use crate::sql::{Dialect, quote_identifier};

/// The journal's tables and view in one database.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// The prefix that the settings give.
    prefix: String,
    /// `"dbbuild_journal"`, quoted.
    pub journal: String,
    /// `"dbbuild_journal_plan"`, the journal's index for planning, quoted.
    pub plan: String,
    /// `"dbbuild_environment"`, quoted.
    pub environment: String,
    /// `"dbbuild_seed_row"`, quoted.
    pub seed_row: String,
    /// `"dbbuild_progress"`, quoted.
    pub progress: String,
    /// `"dbbuild_version"`, quoted.
    pub version: String,
}

impl Names {
    pub fn with_prefix(prefix: &str) -> Self {
        let quoted = |name: &str| quote(&format!("{prefix}_{name}"));
        Self {
            prefix: prefix.to_owned(),
            journal: quoted("journal"),
            plan: quoted("journal_plan"),
            environment: quoted("environment"),
            seed_row: quoted("seed_row"),
            progress: quoted("progress"),
            version: quoted("version"),
        }
    }

    /// Returns the prefix.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns a table's name as it is stored.
    pub fn stored(&self, table: &str) -> String {
        format!("{}_{table}", self.prefix)
    }

    /// Returns the stored names of all of them.
    pub fn all(&self) -> [String; 5] {
        ["journal", "environment", "seed_row", "progress", "version"].map(|table| self.stored(table))
    }

    /// Returns true for the stored name of one of them. SQLite ignores the case of ASCII letters in names.
    pub fn is_ours(&self, name: &str) -> bool {
        self.all().iter().any(|ours| ours.eq_ignore_ascii_case(name))
    }
}

/// Returns a name quoted for SQLite.
pub(super) fn quote(name: &str) -> String {
    quote_identifier(Dialect::Sqlite, name)
}
