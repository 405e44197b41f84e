//! How an engine's work fails, in the tool's own words: the drivers' error types end inside the engines.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Class, Place};

/// What a database said about a statement it would not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFailure {
    /// SQLSTATE, or SQLite's extended result code.
    pub code: String,
    /// The database's message.
    pub message: String,
    /// Its detail, if any.
    pub detail: Option<String>,
    /// Its hint, if any.
    pub hint: Option<String>,
    /// Where inside functions and COPY data it was.
    pub context: Option<String>,
    /// Where in the text of the unit: a byte offset, and how many bytes to underline.
    pub position: Option<(usize, usize)>,
}

impl SqlFailure {
    /// Returns true if it is about somebody else's lock, and nothing is wrong with the statement.
    pub fn is_somebody_else(&self) -> bool {
        matches!(self.code.as_str(), "55P03" | "40P01" | "40001") || self.code.starts_with("SQLITE_BUSY")
    }
}

/// A unit that did not run to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", failure.message)]
pub struct UnitFailure {
    /// Which of the units handed over.
    pub unit: usize,
    /// What the database said.
    pub failure: SqlFailure,
    /// Where: file, line, column.
    pub place: Option<Place>,
    /// How many statements of a non-transactional unit are kept; none of a transactional one are.
    pub kept: Option<usize>,
}

/// Why an engine cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The database server does not answer, or does not let us in.
    #[error("cannot connect to {target}: {message}")]
    Unreachable {
        /// The target, without secrets.
        target: String,
        /// Why.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// There is no such database (yet).
    #[error("there is no database at {target}")]
    NoDatabase {
        /// The target, without secrets.
        target: String,
    },
    /// The connection broke; what was under way is rolled back or its outcome is in the journal.
    #[error("the connection to {target} was lost: {message}")]
    Lost {
        /// The target, without secrets.
        target: String,
        /// What the driver said.
        message: String,
    },
    /// Another builder holds the lock for longer than we may wait.
    #[error("waited {} s for the build lock, held by {holder}", waited.as_secs())]
    Locked {
        /// Who holds it.
        holder: String,
        /// For how long we waited.
        waited: Duration,
    },
    /// A statement of a unit failed.
    #[error(transparent)]
    Unit(Box<UnitFailure>),
    /// A statement of the tool itself failed.
    #[error("{doing}: {}", failure.message)]
    Sql {
        /// What the tool was doing: `reading the journal`.
        doing: String,
        /// What the database said.
        failure: Box<SqlFailure>,
    },
    /// The journal is not one that this program may use.
    #[error("{0}")]
    Journal(String),
    /// The target cannot do what was asked; nothing was changed.
    #[error("{message}")]
    Refused {
        /// A stable name: `seed/no-key`.
        code: &'static str,
        /// What and why.
        message: String,
        /// Where in a file, if it is about one.
        place: Option<Place>,
        /// What to do.
        hint: Option<String>,
    },
    /// A program that is needed is missing, or too old.
    #[error("{message}")]
    Tool {
        /// Which and why.
        message: String,
        /// What to install.
        hint: String,
    },
    /// Somebody asked to stop.
    #[error("interrupted; {kept}")]
    Interrupted {
        /// What was kept.
        kept: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl EngineError {
    /// Returns true if one transaction wanted more locks than the server has room for (PostgreSQL: 53200, where the
    /// memory that is out is the shared one of the locks).
    pub fn is_out_of_locks(&self) -> bool {
        self.code() == "sql/53200"
    }

    /// Returns the stable name of this failure: `engine/unreachable`, `sql/42P01`.
    pub fn code(&self) -> String {
        match self {
            Self::Unreachable { .. } => "engine/unreachable".into(),
            Self::NoDatabase { .. } => "engine/no-database".into(),
            Self::Lost { .. } => "engine/lost".into(),
            Self::Locked { .. } => "engine/locked".into(),
            Self::Unit(unit) => format!("sql/{}", unit.failure.code),
            Self::Sql { failure, .. } => format!("sql/{}", failure.code),
            Self::Journal(_) => "journal/unusable".into(),
            Self::Refused { code, .. } => (*code).into(),
            Self::Tool { .. } => "engine/tool".into(),
            Self::Interrupted { .. } => "interrupted".into(),
            Self::Io { .. } => "io".into(),
        }
    }

    /// Returns what it means for the exit code.
    pub fn class(&self) -> Class {
        match self {
            Self::Unit(_) => Class::Failed,
            Self::Journal(_) | Self::Refused { .. } => Class::Refusal,
            Self::Interrupted { .. } => Class::Interrupted,
            Self::Unreachable { .. }
            | Self::NoDatabase { .. }
            | Self::Lost { .. }
            | Self::Locked { .. }
            | Self::Sql { .. }
            | Self::Tool { .. }
            | Self::Io { .. } => Class::Outside,
        }
    }

    /// Returns the place in a file that it is about.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Unit(unit) => unit.place.as_ref(),
            Self::Refused { place, .. } => place.as_ref(),
            _ => None,
        }
    }

    /// Returns what else the database said, one line each.
    pub fn notes(&self) -> Vec<String> {
        let failure = match self {
            Self::Unit(unit) => &unit.failure,
            Self::Sql { failure, .. } => failure,
            _ => return Vec::new(),
        };
        let mut notes = Vec::new();
        if let Self::Unit(unit) = self {
            notes.push(match unit.kept {
                None | Some(0) => "nothing of it was kept".to_owned(),
                Some(1) => "its first statement is done and stays; the rest was not run".to_owned(),
                Some(done) => format!("its first {done} statements are done and stay; the rest was not run"),
            });
        }
        let labelled = [("detail", &failure.detail), ("hint", &failure.hint), ("context", &failure.context)];
        notes.extend(
            labelled.into_iter().filter_map(|(label, text)| text.as_ref().map(|text| format!("{label}: {text}"))),
        );
        notes
    }

    /// Returns what to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { hint, .. } | Self::Refused { hint, .. } => hint.clone(),
            Self::NoDatabase { .. } => Some("make it with `dbbuild create`, or check the name".into()),
            Self::Lost { .. } => Some("run the same command again: it reads the journal and goes on from there".into()),
            Self::Locked { .. } => Some("wait for the other build, or raise `lock-wait` in dbbuild.toml".into()),
            Self::Tool { hint, .. } => Some(hint.clone()),
            Self::Interrupted { .. } => Some("run the same command again to go on".into()),
            Self::Unit(_) | Self::Sql { .. } | Self::Journal(_) | Self::Io { .. } => None,
        }
    }
}
