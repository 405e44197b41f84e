//! How a team names its scripts. A project can move to dbbuild without renaming anything.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
