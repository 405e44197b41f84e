//! Pop's names, which Ory's projects have too: a version, a name, an engine or none, `autocommit` or not, and a
//! direction. <https://gobuffalo.io/documentation/database/migrations/>
//!
//! A file without an engine is for those that have none of their own. Files of other engines are passed over.

use super::PathRole;
use crate::script::{FileName, FileNameError, Role, Version, VersionError, name_behind, strip_sql};
use crate::sql::Dialect;

/// Says what a file is; it lies in the scripts' folder itself.
pub fn role(path: &str) -> PathRole {
    if path.contains('/') {
        return PathRole::Skip;
    }
    let missing = || PathRole::Fault(FileNameError::Version(VersionError::Missing(path.to_owned())));
    let stem = strip_sql(path);
    let (stem, role) = match (stem.strip_suffix(".up"), stem.strip_suffix(".down")) {
        (Some(stem), _) => (stem, Role::Up),
        (_, Some(stem)) => (stem, Role::Down),
        (None, None) => return missing(),
    };
    let stem = stem.strip_suffix(".autocommit").unwrap_or(stem);
    let (stem, engine) = match stem.split_once('.') {
        None => (stem, None),
        Some((stem, "postgres" | "postgresql" | "pg")) => (stem, Some(Dialect::Postgres)),
        Some((stem, "sqlite" | "sqlite3")) => (stem, Some(Dialect::Sqlite)),
        Some((_, _)) => return PathRole::Skip,
    };
    match Version::split(stem) {
        Ok((version, rest)) => PathRole::Script(FileName { version, name: name_behind(rest), engine, role }),
        Err(error) => PathRole::Fault(FileNameError::Version(error)),
    }
}

/// Returns true for `x.autocommit.up.sql` and `x.postgres.autocommit.up.sql`.
pub fn is_autocommit(path: &str) -> bool {
    let stem = strip_sql(path);
    let stem = stem.strip_suffix(".up").or_else(|| stem.strip_suffix(".down")).unwrap_or(stem);
    stem.ends_with(".autocommit")
}
