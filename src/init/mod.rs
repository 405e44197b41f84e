//! `init`: a project from nothing, or, in a repository that has scripts already, settings that fit them.
//!
//! Nothing that exists is renamed or overwritten. What was recognised is checked by reading the scripts the way a
//! build does; what a build would refuse is told as a note, not hidden.

mod candidates;
mod drizzle;
mod look;
mod quoted;
mod reading;
mod recognise;
mod scaffold;
mod sqitch;
mod survey;
mod toml_text;
mod variable;

use std::path::{Path, PathBuf};

use crate::build::Refusal;
use crate::error::Error;
use crate::project::{EngineName, SETTINGS, SettingsError};

pub use recognise::{Folders, Recognised, RecognisedScript, Recognition, recognise};

/// What the user wants to begin with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The project's name. Default: the folder's.
    pub name: Option<String>,
    /// The engine, where nothing but the texts tells it. Default: what these look like, else SQLite, which needs no
    /// server.
    pub engine: Option<EngineName>,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Initialised {
    /// What was recognised; `None` for a project from nothing.
    pub recognised: Option<Recognised>,
    /// The files, in the order in which they were written.
    pub files: Vec<Written>,
    /// Why nothing was recognised, where something is there.
    pub notes: Vec<String>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its path, relative to the project.
    pub path: String,
    /// False if the file was there and got something added.
    pub created: bool,
}

/// Makes a folder a project.
pub fn init(root: &Path, wish: &Wish) -> Result<Initialised, Error> {
    let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    if root.exists() && !root.is_dir() {
        return Err(SettingsError::new("settings/no-folder", format!("{} is no folder", root.display())).into());
    }
    if root.join(SETTINGS).exists() {
        return Err(Refusal::new("init/exists", format!("there is a {SETTINGS} here already"))
            .hint(format!(
                "edit it, or take it away for `dbbuild init` to write a new one: {}",
                root.join(SETTINGS).display()
            ))
            .into());
    }
    let name = match &wish.name {
        Some(name) => name.clone(),
        None => root.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned()),
    };
    Ok(match recognise(&root, &name, wish.engine)? {
        Recognition::Scripts(recognised) => Initialised {
            files: vec![create(&root, SETTINGS, &toml_text::of(&recognised))?],
            recognised: Some(*recognised),
            notes: Vec::new(),
        },
        Recognition::Nothing(notes) => {
            let files = scaffold::scaffold(&root, &name, wish.engine.unwrap_or(EngineName::Sqlite))?;
            Initialised { recognised: None, files, notes }
        }
    })
}

/// Writes a file that must not be there, with the folders above it.
fn create(root: &Path, path: &str, text: &str) -> Result<Written, Error> {
    let file: PathBuf = root.join(path);
    let failed = |source| Error::Io { path: file.clone(), source };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut opened = std::fs::File::create_new(&file).map_err(failed)?;
    std::io::Write::write_all(&mut opened, text.as_bytes()).map_err(failed)?;
    Ok(Written { path: path.to_owned(), created: true })
}

#[cfg(test)]
mod tests;
