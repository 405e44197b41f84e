//! How a team names its scripts. A project can move to dbbuild without renaming anything.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::script::{FileName, FileNameError};
use crate::sql::Dialect;

/// A way of laying out scripts on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
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

/// A file's text as its layout divides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sections<'a> {
    /// What makes the version, with the line it begins on.
    pub up: (usize, &'a str),
    /// What takes it back, with the line it begins on.
    pub down: Option<(usize, &'a str)>,
    /// True if the file's own markers ask to run outside a transaction.
    pub no_transaction: bool,
}

impl Layout {
    /// Says what a `.sql` file is; `path` is relative to the scripts' folder, with `/`.
    pub fn role(self, path: &str) -> PathRole {
        match path.rsplit_once('/') {
            None => FileName::parse(path).map_or_else(PathRole::Fault, PathRole::Script),
            Some(_) => PathRole::Skip,
        }
    }

    /// Divides a file's text.
    pub fn sections(self, text: &str) -> Sections<'_> {
        Sections { up: (1, text), down: None, no_transaction: false }
    }
}
