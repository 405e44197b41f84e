//! `[script."N"]` in `dbbuild.toml` follows its script.

use std::collections::BTreeSet;
use std::path::Path;

use toml_edit::{DocumentMut, Item};

use crate::error::Error;
use crate::project::{SETTINGS, SettingsError};
use crate::script::Version;

/// Renames the keys of moved scripts, and returns true if there were any. Where another script has the old version
/// still (`left`), nobody can tell whose the key was, so both have it.
pub fn follow(root: &Path, moved: &[(Version, Version)], left: &BTreeSet<Version>) -> Result<bool, Error> {
    let file = root.join(SETTINGS);
    if !file.is_file() {
        return Ok(false);
    }
    let failed = |source| Error::Io { path: file.clone(), source };
    let text = std::fs::read_to_string(&file).map_err(failed)?;
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| SettingsError::new("settings/invalid", error.message().to_owned()))?;
    let Some(scripts) = document.get_mut("script").and_then(Item::as_table_like_mut) else { return Ok(false) };
    let mut changed = false;
    // The highest first, as the files moved: a key never lands on one that has yet to move.
    for (old, new) in moved.iter().rev() {
        let key = scripts.iter().map(|(key, _)| key.to_owned()).find(|key| key.parse::<Version>().as_ref() == Ok(old));
        let Some(key) = key else { continue };
        let item = if left.contains(old) { scripts.get(&key).cloned() } else { scripts.remove(&key) };
        if let Some(item) = item {
            scripts.insert(&new.to_string(), item);
            changed = true;
        }
    }
    if changed {
        std::fs::write(&file, document.to_string()).map_err(failed)?;
    }
    Ok(changed)
}
