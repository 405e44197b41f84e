//! How a version stands, in the words of the glossary.

use serde::Serialize;

use crate::script::Version;

/// How a script and the journal stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not run.
    Pending,
    /// Done.
    Applied,
    /// Done, and its text changed since.
    Altered,
    /// Changed only in comments or white space.
    Reworded,
    /// The same text under another version or name.
    Moved,
    /// Journaled, the file is gone, and it is not above this checkout's newest.
    Missing,
    /// Journaled by a newer checkout.
    Ahead,
    /// Not run and older than the newest applied one.
    Late,
    /// A non-transactional script, half-way.
    Running,
    /// Taken back by a downgrade.
    Reverted,
    /// Stood in for by a base.
    Squashed,
}

impl State {
    /// Returns true if a build runs the script.
    pub fn is_to_run(self) -> bool {
        match self {
            Self::Pending | Self::Late | Self::Running | Self::Reverted => true,
            Self::Applied
            | Self::Altered
            | Self::Reworded
            | Self::Moved
            | Self::Missing
            | Self::Ahead
            | Self::Squashed => false,
        }
    }

    /// Returns the word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Altered => "altered",
            Self::Reworded => "reworded",
            Self::Moved => "moved",
            Self::Missing => "missing",
            Self::Ahead => "ahead",
            Self::Late => "late",
            Self::Running => "running",
            Self::Reverted => "reverted",
            Self::Squashed => "squashed",
        }
    }
}

/// One version, in the checkout or in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The version.
    pub version: Version,
    /// The name, the checkout's where it has the script.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// The index of the script in the checkout, if it is there.
    pub script: Option<usize>,
    /// The index of the newest entry of this version; for a script that moved from another version, of that one's.
    pub entry: Option<usize>,
    /// The newest attempt of this version itself: 0 if it has none.
    pub attempt: i32,
}

/// Every version with its state, in the order of versions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconciled {
    /// One per version.
    pub statuses: Vec<Status>,
    /// The newest version that is applied.
    pub version: Option<Version>,
    /// What the database lacks and the checkout has no more, because a base stands for it: indices into the base's
    /// scripts. Nothing for a database in which no script ran yet.
    pub lacking: Vec<usize>,
}

impl Reconciled {
    /// Returns those in a state.
    pub fn in_state(&self, state: State) -> impl Iterator<Item = &Status> {
        self.statuses.iter().filter(move |status| status.state == state)
    }
}
