//! What a script's path says, as the layout and the settings have it together.

use std::collections::BTreeMap;

use super::layout::Parts;
use super::{Layout, PathRole, Project, SETTINGS, Settings, SettingsError};
use crate::script::{FileName, FileNameError, Version, strip_sql};

impl Project {
    /// Says what a `.sql` file is; `inside` is its path below the scripts' folder.
    pub fn role(&self, file: &str, inside: &str) -> PathRole {
        match self.layout().role(inside) {
            PathRole::Script(name) => PathRole::Script(self.with_own_version(file, name)),
            PathRole::Fault(FileNameError::Version(error)) => match self.unnumbered(file, inside) {
                Some(Parts { name, .. }) => PathRole::Script(name),
                None => PathRole::Fault(FileNameError::Version(error)),
            },
            PathRole::Skip => {
                self.unnumbered(file, inside).map_or(PathRole::Skip, |parts| PathRole::Script(parts.name))
            }
            code @ PathRole::Code(_) => code,
            fault @ PathRole::Fault(FileNameError::Engine { .. }) => fault,
        }
    }

    /// Takes a script's path apart; `inside` is its path below the scripts' folder.
    pub fn parts(&self, file: &str, inside: &str) -> Option<Parts> {
        match Parts::of(self.layout(), inside) {
            Some(parts) => Some(Parts { name: self.with_own_version(file, parts.name), ..parts }),
            None => self.unnumbered(file, inside),
        }
    }

    /// Reads the path of a script that has its version from the settings alone: `v1.5/queue.sql` in folders that
    /// are versions, `migration-2-0004.sql`, Flyway's `B1__baseline.sql`.
    fn unnumbered(&self, file: &str, inside: &str) -> Option<Parts> {
        let version = self.versions.get(change(self.layout(), file))?;
        if !matches!(self.layout(), Layout::DottedFolders | Layout::Plain | Layout::Flyway) {
            return None;
        }
        let (folder, rest) = inside.split_at(inside.rfind('/').map_or(0, |at| at + 1));
        let name = FileName::unnumbered(rest, version.clone()).ok()?;
        let (folder, rest) = (folder.to_owned(), rest.to_owned());
        Some(Parts { name, engine_folder: String::new(), folder, raw: String::new(), rest })
    }

    fn with_own_version(&self, file: &str, name: FileName) -> FileName {
        let version = match self.versions.get(change(self.layout(), file)) {
            Some(version) => version.clone(),
            None if self.settings.layout.dates => name.version.by_date(),
            None => name.version,
        };
        FileName { version, ..name }
    }
}

/// Reads the versions that the settings give to files.
pub(super) fn versions(settings: &Settings) -> Result<BTreeMap<String, Version>, SettingsError> {
    let layout = settings.layout.style.unwrap_or_default();
    let read = |(file, version): (&String, &String)| {
        let version = version.parse().map_err(|error| {
            SettingsError::new("settings/versions", format!("{file:?} under [layout.versions] in {SETTINGS}: {error}"))
                .hint("write a version: digits, joined by `.`")
        })?;
        Ok((change(layout, file.trim_start_matches("./")).to_owned(), version))
    };
    settings.layout.versions.iter().map(read).collect()
}

/// Returns what a script's file and its way down have in common.
fn change(layout: Layout, file: &str) -> &str {
    let stem = strip_sql(file);
    let stem = stem.strip_suffix('.').unwrap_or(stem);
    match (layout, stem.rsplit_once('/')) {
        (Layout::FolderPerChange, Some((folder, _))) => folder,
        _ => {
            let ends = [".up", ".down", "_up", "_down"];
            ends.into_iter().find_map(|end| stem.strip_suffix(end)).unwrap_or(stem)
        }
    }
}

/// Returns true for `0021_internal_down` beside `0021_internal_up`: some write their pairs so. Alone it is a script
/// whose name happens to end so.
pub fn is_way_down<'a>(name: &str, mut others: impl Iterator<Item = &'a str>) -> bool {
    name.strip_suffix("_down").is_some_and(|stem| others.any(|other| other.strip_suffix("_up") == Some(stem)))
}
