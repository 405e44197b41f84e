//! A script's path taken apart, so that another version can be put into it.

use super::{Layout, PathRole, engine_folder, flyway, folders, is_named_folder};
use crate::script::{FileName, Role, Version, letter, strip_sql};
use crate::sql::Dialect;

/// The path of a script or of its down file, relative to the scripts' folder. `engine_folder`, `folder`, `raw` and
/// `rest` joined are the path again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// What the path says.
    pub name: FileName,
    /// `postgres/` or nothing.
    pub engine_folder: String,
    /// What stands in front of the version: `0.10/`, or folders and a letter.
    pub folder: String,
    /// The version as written, or in dotted folders its last part: `0007`.
    pub raw: String,
    /// What stands behind it: `_search.postgres.sql`, `_search/up.sql`.
    pub rest: String,
}

impl Parts {
    /// Takes a path apart; `None` if it is no script's.
    pub fn of(layout: Layout, path: &str) -> Option<Self> {
        if is_named_folder(path) {
            return None;
        }
        let (inside, of_folder) = engine_folder(path);
        let PathRole::Script(mut name) = layout.role(inside) else { return None };
        name.engine = name.engine.or(of_folder);
        let (folder, behind) = match layout {
            Layout::DottedFolders => {
                let file = inside.rfind('/').map_or(0, |at| at + 1);
                inside.split_at(file + letter(&inside[file..]))
            }
            Layout::Flyway => {
                let at = inside.rfind('/').map_or(0, |at| at + 1) + 1;
                inside.split_at_checked(at)?
            }
            Layout::Plain
            | Layout::FolderPerChange
            | Layout::Dbmate
            | Layout::Goose
            | Layout::SqlMigrate
            | Layout::Tern
            | Layout::Pop => inside.split_at(letter(inside)),
        };
        let raw_length = match layout {
            Layout::Flyway => flyway::split(strip_sql(&inside[folder.len() - 1..]))?.1.len(),
            _ => behind.len() - Version::split(behind).ok()?.1.len(),
        };
        let (raw, rest) = behind.split_at(raw_length);
        let outer = &path[..path.len() - inside.len()];
        Some(Self {
            name,
            engine_folder: outer.to_owned(),
            folder: folder.to_owned(),
            raw: raw.to_owned(),
            rest: rest.to_owned(),
        })
    }

    /// Returns the path with another version in it.
    pub fn with_version(&self, folder: &str, raw: &str) -> String {
        let keeps_letter = self.folder.ends_with(['V', 'U', 'v']);
        let folder = if keeps_letter { &self.folder } else { folder };
        format!("{}{folder}{raw}{}", self.engine_folder, self.rest)
    }

    /// Returns the version that its folders make up, where folders do.
    pub fn folder_version(&self) -> Option<Version> {
        let mut parts = self.folder.split('/').filter_map(folders::folder_version);
        let first = parts.next()?;
        Some(parts.fold(first, |outer, inner| outer.join(&inner)))
    }

    /// Returns what separates the version from the name: `_`, `__`, `-`.
    pub fn separator(&self) -> &str {
        let end = self.rest.find(|c: char| !matches!(c, '_' | '-' | '.' | ' ')).unwrap_or(self.rest.len());
        &self.rest[..end]
    }

    /// Returns true for a file that makes its version.
    pub fn is_up(&self) -> bool {
        self.name.role == Role::Up
    }

    /// Returns true if it serves an engine.
    pub fn serves(&self, dialect: Dialect) -> bool {
        self.name.engine.is_none_or(|engine| engine == dialect)
    }
}
