//! What a script's path says, as the layout and the settings have it together.

use std::collections::BTreeMap;

use super::layout::Parts;
use super::{Layout, PathRole, Project, SETTINGS, Settings, SettingsError};
use crate::script::{FileName, Version, strip_sql};

impl Project {
    /// Says what a `.sql` file is; `inside` is its path below the scripts' folder.
    pub fn role(&self, file: &str, inside: &str) -> PathRole {
        match self.layout().role(inside) {
            PathRole::Script(name) => PathRole::Script(self.with_own_version(file, name)),
            // Its name begins with no version, and the settings give it one.
            PathRole::Fault(fault) if self.versions.contains_key(change(self.layout(), file)) => {
                match self.layout().role(&versioned(self.layout(), inside)) {
                    PathRole::Script(name) => PathRole::Script(self.with_own_version(file, name)),
                    _ => PathRole::Fault(fault),
                }
            }
            other => other,
        }
    }

    /// Takes a script's path apart; `inside` is its path below the scripts' folder.
    pub fn parts(&self, file: &str, inside: &str) -> Option<Parts> {
        let parts = Parts::of(self.layout(), inside)?;
        Some(Parts { name: self.with_own_version(file, parts.name), ..parts })
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

/// Returns a path as it would be with some version in front of its change's name.
fn versioned(layout: Layout, inside: &str) -> String {
    let folder = |path: &str| path.rfind('/').map_or(0, |at| at + 1);
    let name = folder(inside);
    let change = match layout {
        Layout::FolderPerChange => folder(inside[..name].trim_end_matches('/')),
        _ => name,
    };
    format!("{}0_{}", &inside[..change], &inside[change..])
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
