//! A project from nothing, which works at once.

use std::path::Path;

use super::{Written, create, toml_text};
use crate::error::Error;
use crate::new_version::built_in;
use crate::project::{EngineName, SETTINGS};

/// Writes the settings, the folders, a template, and what git must leave alone.
pub fn scaffold(root: &Path, name: &str, engine: EngineName) -> Result<Vec<Written>, Error> {
    let template = built_in(Some(engine.into()));
    let mut files = vec![create(root, SETTINGS, &toml_text::scaffold(name, engine))?];
    // Git keeps no empty folders.
    for (path, text) in [("db/templates/new.sql", template.as_str()), ("seed/.gitkeep", ""), ("baseline/.gitkeep", "")]
    {
        if !root.join(path).exists() {
            files.push(create(root, path, text)?);
        }
    }
    if engine == EngineName::Sqlite {
        files.extend(ignore(root, &format!("/{}*", toml_text::database_file(name)))?);
    }
    Ok(files)
}

/// Adds a line to `.gitignore` (the star is for `-wal`, `-shm` and `-journal`), unless it is there.
fn ignore(root: &Path, line: &str) -> Result<Option<Written>, Error> {
    let path = ".gitignore";
    let file = root.join(path);
    if !file.exists() {
        return create(root, path, &format!("{line}\n")).map(Some);
    }
    let failed = |source| Error::Io { path: file.clone(), source };
    let text = std::fs::read_to_string(&file).map_err(failed)?;
    if text.lines().any(|known| known.trim() == line) {
        return Ok(None);
    }
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    std::fs::write(&file, format!("{text}{gap}{line}\n")).map_err(failed)?;
    Ok(Some(Written { path: path.to_owned(), created: false }))
}
