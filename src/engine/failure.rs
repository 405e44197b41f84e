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

    /// Returns true if there was no room for what the statement writes.
    pub fn is_disk_full(&self) -> bool {
        matches!(self.code.as_str(), "53100" | "SQLITE_FULL")
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

/// Returns what to do about a file that cannot be read or written.
pub(crate) fn of_file(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "see that the path is right and its folder is there; it begins at the project's folder",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "give the user that dbbuild runs as the right to it, or run it as another one"
        }
        ErrorKind::AlreadyExists => "take the file that is there away, or give the new one another name",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on the disk, and run the same command again",
        _ => "see what the path leads to, and run the same command again",
    }
}

/// Returns what to do about a statement of the tool's own that the database would not run.
fn of_own(failure: &SqlFailure) -> &'static str {
    match failure.code.as_str() {
        "42501" => "grant the login role what is missing, or say whom scripts run as: `owner-role` in dbbuild.toml",
        "53100" | "SQLITE_FULL" => "make room on the database's disk, and run the same command again",
        "53200" => "raise `max_locks_per_transaction` on the server, and run the same command again",
        "55P03" | "57014" | "40001" | "40P01" => "run the same command again when the others are done",
        "25006" => "this server only reads, as a standby does: name the one that may be written to",
        code if code.starts_with("SQLITE_BUSY") => {
            "run the same command again when the other program is done with the file"
        }
        code if code.starts_with("SQLITE_READONLY") || code.starts_with("SQLITE_CANTOPEN") => {
            "give the user that dbbuild runs as the right to write the file and its folder"
        }
        "SQLITE_NOTADB" => "see that the path names a database: `dbbuild config`",
        code if code.starts_with("SQLITE_CORRUPT") => "the file is damaged: put a backup back",
        _ => "nothing of this step was kept; when its cause is mended, run the same command again",
    }
}

/// Returns what to do about a refusal that says nothing of its own.
fn usual(code: &str) -> Option<&'static str> {
    Some(match code {
        "seed/csv" => {
            "a field with a comma, a quote or a line's end stands in double quotes, and a quote in it is doubled"
        }
        "seed/ragged-row" => "give the row as many fields as the header has; an empty field is NULL",
        "seed/null-key" => "give the row its key, or name another key in the sidecar: `key = [\"code\"]`",
        "seed/key-twice" => "take one of the two rows out, or name a longer key in the sidecar",
        "seed/column-twice" => "take one of the two columns out of the file",
        "load/not-empty" => "empty the database, `dbbuild reset`, or take it over: `dbbuild adopt`",
        _ if code.starts_with("load/") => {
            "write the baseline again, `dbbuild baseline`, or go by the scripts: `dbbuild --from-scripts`"
        }
        "baseline/virtual-table" => "fill it by a seed or leave it out of the scripts; builds go by the scripts then",
        "baseline/number" => "write the value as text, or as a number that can be read back",
        "engine/not-sqlite" => "write the URL as `sqlite:PATH`",
        _ => return None,
    })
}

impl EngineError {
    /// The refusal of a journal that a newer program wrote.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(super) fn newer_journal(format: impl std::fmt::Display, known: u32) -> Self {
        Self::Journal(format!(
            "the journal was written by a newer dbbuild: its format is {format}, this program knows up to {known}"
        ))
    }

    /// Returns true if one transaction wanted more locks than the server has room for (PostgreSQL: 53200, where the
    /// memory that is out is the shared one of the locks).
    pub fn is_out_of_locks(&self) -> bool {
        self.code() == "sql/53200"
    }

    /// Returns true if somebody else's lock was in the way of the tool itself.
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::Sql { failure, .. } if failure.is_somebody_else())
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
                None => "nothing of it was kept".to_owned(),
                Some(0) => "none of its statements is done".to_owned(),
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
            Self::Unreachable { hint, .. } => {
                hint.clone().or_else(|| Some("see that the server runs and that the URL is right: `dbbuild config`".into()))
            }
            Self::Refused { hint, code, .. } => hint.clone().or_else(|| usual(code).map(str::to_owned)),
            Self::NoDatabase { .. } => Some("make it with `dbbuild create`, or check the name".into()),
            Self::Lost { .. } => Some("run the same command again: it reads the journal and goes on from there".into()),
            Self::Locked { .. } => Some("wait for the other build, or raise `lock-wait` in dbbuild.toml".into()),
            Self::Tool { hint, .. } => Some(hint.clone()),
            Self::Interrupted { .. } => Some("run the same command again to go on".into()),
            Self::Journal(_) => Some(
                "use the dbbuild that wrote it or a newer one; if somebody else's tables have its names, give the journal \
                 another: `name` under `[journal]` in dbbuild.toml"
                    .into(),
            ),
            Self::Sql { failure, .. } => Some(of_own(failure).into()),
            Self::Io { source, .. } => Some(of_file(source).into()),
            Self::Unit(_) => None,
        }
    }
}
