//! How a team names its scripts. A project can move to dbbuild without renaming anything.
//!
//! A layout reads paths and texts that somebody else has got; nothing here reads a file.

mod flyway;
mod folders;
mod parts;
mod pop;
mod sections;
mod sidecar;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::script::{FileName, FileNameError};
use crate::sql::Dialect;

pub use flyway::version_of as flyway_version;
pub use folders::folder_version;
pub use parts::Parts;
pub use sections::{SectionFault, Sections, TERN_BETWEEN};
pub use sidecar::Sidecar;

/// A way of laying out scripts on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `0001_name.sql`, `0001_name.down.sql`; also `.up.sql` and `.down.sql` pairs.
    #[default]
    Plain,
    /// A folder per change: `2024-01-01-000000_name/up.sql` and `down.sql` (diesel).
    FolderPerChange,
    /// A folder per release, numbered files in it: `0.10/03__name.sql`.
    DottedFolders,
    /// `V1__name.sql`, `R__name.sql` (a code object), `U1__name.sql` (Flyway).
    Flyway,
    /// Up and down in one file, `-- migrate:up` and `-- migrate:down`.
    Dbmate,
    /// Up and down in one file, `-- +goose Up` and `-- +goose Down`.
    Goose,
    /// Up and down in one file, `-- +migrate Up` and `-- +migrate Down`.
    SqlMigrate,
    /// Up and down in one file, `---- create above / drop below ----`.
    Tern,
    /// `20240418_name.sqlite3.up.sql`, `20240418_name.up.sql` for the engines that have no file of their own (pop).
    Pop,
}

/// What a `.sql` file below the scripts' folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathRole {
    /// A script.
    Script(FileName),
    /// A code object for an engine, or for each.
    Code(Option<Dialect>),
    /// None of the layout's business.
    Skip,
    /// It should be a script and is none.
    Fault(FileNameError),
}

impl Layout {
    /// Returns its name as the settings write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::FolderPerChange => "folder-per-change",
            Self::DottedFolders => "dotted-folders",
            Self::Flyway => "flyway",
            Self::Dbmate => "dbmate",
            Self::Goose => "goose",
            Self::SqlMigrate => "sql-migrate",
            Self::Tern => "tern",
            Self::Pop => "pop",
        }
    }

    /// Says what a `.sql` file is; `path` is relative to the scripts' folder, with `/`.
    pub fn role(self, path: &str) -> PathRole {
        match self {
            Self::Plain | Self::Dbmate | Self::Goose | Self::SqlMigrate | Self::Tern => match path.rsplit_once('/') {
                None => FileName::parse(path).map_or_else(PathRole::Fault, PathRole::Script),
                Some(_) => PathRole::Skip,
            },
            Self::FolderPerChange => folders::change(path),
            Self::DottedFolders => folders::dotted(path),
            Self::Flyway => flyway::role(path),
            Self::Pop => pop::role(path),
        }
    }

    /// Divides a file's text, which is normalised, or says why its layout's own tool would not read it so.
    pub fn divide(self, text: &str) -> Result<Sections<'_>, SectionFault> {
        match self {
            Self::Plain => Ok(sections::plain(text)),
            Self::FolderPerChange | Self::DottedFolders | Self::Flyway | Self::Pop => Ok(Sections::whole(text)),
            Self::Dbmate => sections::dbmate(text),
            Self::Goose => sections::goose(text),
            Self::SqlMigrate => sections::sql_migrate(text),
            Self::Tern => sections::tern(text),
        }
    }

    /// Returns true if up and down stand in one file.
    pub fn has_sections(self) -> bool {
        match self {
            Self::Dbmate | Self::Goose | Self::SqlMigrate | Self::Tern => true,
            Self::Plain | Self::FolderPerChange | Self::DottedFolders | Self::Flyway | Self::Pop => false,
        }
    }

    /// Returns true if an engine's own file stands in front of the one for each engine, which is then not run there.
    pub fn prefers_own(self) -> bool {
        match self {
            Self::Pop => true,
            Self::Plain
            | Self::FolderPerChange
            | Self::DottedFolders
            | Self::Flyway
            | Self::Dbmate
            | Self::Goose
            | Self::SqlMigrate
            | Self::Tern => false,
        }
    }

    /// Returns true if the layout's tool runs every script with foreign keys off, as pop's migrators do on SQLite.
    pub fn turns_foreign_keys_off(self, dialect: Dialect) -> bool {
        self == Self::Pop && dialect == Dialect::Sqlite
    }

    /// Returns true if a script's name asks to run it outside a transaction.
    pub fn name_asks_no_transaction(self, path: &str) -> bool {
        self == Self::Pop && pop::is_autocommit(path)
    }
}

/// Returns true for what lies in one of the folders below the scripts' that hold something else.
pub fn is_named_folder(path: &str) -> bool {
    let first = path.split_once('/').map(|(first, _)| first);
    matches!(first, Some("code" | "base" | "access" | "templates" | "after-restore"))
}

/// Takes an engine's folder off a path: `postgres/0007_search.sql`.
pub fn engine_folder(path: &str) -> (&str, Option<Dialect>) {
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        if let Some(rest) = path.strip_prefix(dialect.name()).and_then(|rest| rest.strip_prefix('/')) {
            return (rest, Some(dialect));
        }
    }
    (path, None)
}

#[cfg(test)]
mod tests;
