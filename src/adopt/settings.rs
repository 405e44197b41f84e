//! `history` in `dbbuild.toml`: the scripts that were taken over stay as they are.

use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, value};

use crate::error::Error;
use crate::project::{SETTINGS, SettingsError};
use crate::script::Version;

/// Says in the settings that scripts up to a version are history, unless they say so already. Returns true if the
/// file was written.
pub fn write_history(root: &Path, version: &Version) -> Result<bool, Error> {
    let file = root.join(SETTINGS);
    let failed = |source| Error::Io { path: file.clone(), source };
    let text = if file.is_file() { std::fs::read_to_string(&file).map_err(failed)? } else { String::new() };
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| SettingsError::new("settings/invalid", error.message().to_owned()))?;
    let project = document.entry("project").or_insert(Item::Table(Table::new()));
    let Some(project) = project.as_table_like_mut() else { return Ok(false) };
    let said = project.get("history").and_then(Item::as_str).and_then(|text| text.parse::<Version>().ok());
    if said.is_some_and(|said| said >= *version) {
        return Ok(false);
    }
    project.insert("history", value(version.to_string()));
    std::fs::write(&file, document.to_string()).map_err(failed)?;
    Ok(true)
}
