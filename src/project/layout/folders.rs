//! Layouts in which a folder carries the version, or its first part.

use super::PathRole;
use crate::script::{FileName, FileNameError, Role, Version, engine_suffix, name_behind, strip_sql};

/// A folder per change. Diesel reads `up.sql` and `down.sql` in each folder below the migrations' whose name
/// begins with a version; Prisma has one `migration.sql` there. <https://docs.rs/diesel_migrations>
pub fn change(path: &str) -> PathRole {
    let mut parts = path.split('/');
    let (Some(folder), Some(file), None) = (parts.next(), parts.next(), parts.next()) else { return PathRole::Skip };
    let (stem, engine) = match engine_suffix(strip_sql(file)) {
        Ok(parsed) => parsed,
        Err(error) => return PathRole::Fault(error),
    };
    let role = match stem {
        "up" | "migration" => Role::Up,
        "down" => Role::Down,
        _ => return PathRole::Skip,
    };
    match Version::split(folder) {
        Ok((version, rest)) => PathRole::Script(FileName { version, name: name_behind(rest), engine, role }),
        Err(error) => PathRole::Fault(FileNameError::Version(error)),
    }
}

/// Folders named by a version, numbered files in them. A folder that is named otherwise holds something else; a
/// file beside the folders must have a version like any other.
pub fn dotted(path: &str) -> PathRole {
    let mut parts: Vec<&str> = path.split('/').collect();
    let file = parts.pop().unwrap_or_default();
    let mut folders: Option<Version> = None;
    for part in parts {
        let Some(version) = folder_version(part) else { return PathRole::Skip };
        folders = Some(folders.map_or(version.clone(), |outer| outer.join(&version)));
    }
    match FileName::parse(file) {
        Ok(name) => {
            let version = folders.map_or(name.version.clone(), |folder| folder.join(&name.version));
            PathRole::Script(FileName { version, ..name })
        }
        Err(error) => PathRole::Fault(error),
    }
}

/// Reads a folder's name as a version: `0.10`, also `v0.10`.
pub fn folder_version(name: &str) -> Option<Version> {
    name.strip_prefix(['v', 'V']).unwrap_or(name).parse().ok()
}
