//! What a rule is: its name, its words for people, and its check.

use serde::Serialize;

use super::context::Context;
use super::finding::Found;
use crate::sql::Dialect;

/// A rule. Each stands in one file of `rules/`, and in the one list there.
#[derive(Debug)]
pub struct Rule {
    /// Its name: the pattern that it flags, so that `allow(name)` reads well.
    pub name: &'static str,
    /// The set that it belongs to.
    pub set: Set,
    /// The dialects that it knows.
    pub dialects: &'static [Dialect],
    /// What it finds, in a line.
    pub summary: &'static str,
    /// What happens if nothing is done.
    pub effect: &'static str,
    /// What to write instead.
    pub remedy: &'static str,
    /// Whether it has a cure that can be written for the author.
    pub fixable: Fixable,
    /// Looks at a script.
    pub check: fn(&Context<'_>, &mut Found),
}

/// Both dialects, for rules that know them.
pub(super) const BOTH: &[Dialect] = &[Dialect::Postgres, Dialect::Sqlite];
/// PostgreSQL only.
pub(super) const POSTGRES: &[Dialect] = &[Dialect::Postgres];
/// SQLite only.
pub(super) const SQLITE: &[Dialect] = &[Dialect::Sqlite];

/// Rules that are switched together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Set {
    /// A second run of the script fails or changes something.
    Idempotency,
    /// Scripts depend on what is not there, or not yet.
    Order,
    /// Dangerous on a database that is in use.
    LiveSafety,
    /// Opens a door.
    Security,
    /// Works, and could be better.
    Style,
}

impl Set {
    /// All sets, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Idempotency, Self::Order, Self::LiveSafety, Self::Security, Self::Style];

    /// Returns its name, as in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idempotency => "idempotency",
            Self::Order => "order",
            Self::LiveSafety => "live-safety",
            Self::Security => "security",
            Self::Style => "style",
        }
    }

    /// Returns the set of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.name() == name)
    }

    /// Returns the level of its rules where the settings say nothing.
    pub const fn level(self) -> Level {
        match self {
            Self::Idempotency | Self::Order => Level::Error,
            Self::LiveSafety | Self::Security | Self::Style => Level::Warning,
        }
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The rule does not run.
    Off,
    /// Told.
    Warning,
    /// Told, and `lint` ends with 1.
    Error,
}

/// Whether a rule's findings can be cured by `--fix`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixable {
    /// Each one.
    Always,
    /// Some of them.
    Sometimes,
    /// Only with `--unsafe`: something could be lost.
    Unsafe,
    /// None: only the author knows what is meant.
    Never,
}

impl Fixable {
    /// Returns the words of the documentation.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Always => "`dbbuild lint --fix` mends it.",
            Self::Sometimes => "`dbbuild lint --fix` mends it where that loses nothing.",
            Self::Unsafe => "`dbbuild lint --fix --unsafe` mends it; read what it says first.",
            Self::Never => "There is no automatic fix: only you know what is meant.",
        }
    }
}
