//! `new-version`: the next script, in the numbering, width and layout that the project already has, above what any
//! branch has.

mod text;

use std::path::Path;

use jiff::Timestamp;

use crate::error::Error;
use crate::numbering::{Elsewhere, Known, Numbering, Written, folders, here, squashed};
use crate::project::layout::Parts;
use crate::project::{Layout, Project, SettingsError};
use crate::script::{Role, Version};
use crate::sql::Dialect;

pub use text::{built_in, slug};

/// What the next script is to be.
#[derive(Debug, Clone)]
pub struct NewVersion<'a> {
    /// What it does, in words: `create customer`.
    pub name: &'a str,
    /// True to make the way down too.
    pub down: bool,
    /// The one engine it is for.
    pub engine: Option<Dialect>,
    /// True to run outside a transaction.
    pub no_transaction: bool,
    /// The time, for versions and texts that hold it.
    pub now: Timestamp,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The version.
    pub version: Version,
    /// The new files, relative to the project.
    pub files: Vec<String>,
    /// The branch whose newest script is the last one before it, if that is not this checkout's.
    pub above: Option<String>,
}

/// Makes the next script's files. Nothing that exists is overwritten.
pub fn new_version(project: &Project, wanted: &NewVersion<'_>) -> Result<Made, Error> {
    let Some(root) = project.files.root() else {
        return Err(
            SettingsError::new("new-version/embedded", "a project inside a program cannot be written to").into()
        );
    };
    let Some(slug) = slug(wanted.name) else {
        let error = SettingsError::new("new-version/name", format!("{:?} has neither letters nor digits", wanted.name));
        return Err(error.hint("say what the script does: `dbbuild new-version \"create customer\"`").into());
    };
    let mut ups: Vec<Known> = here(project)?.into_iter().chain(squashed(project)?).collect();
    ups.retain(|known| known.parts.is_up());
    ups.sort_by(|a, b| a.version().cmp(b.version()));
    let (next, above) = next_version(project, &ups, wanted.now)?;
    let files = files(project, &ups, &next, &slug, wanted);
    for (path, content) in &files {
        create(root, path, content)?;
    }
    Ok(Made { version: next.version, files: files.into_iter().map(|(path, _)| path).collect(), above })
}

/// Returns the version to make and the branch that it had to be above.
fn next_version(project: &Project, ups: &[Known], now: Timestamp) -> Result<(Written, Option<String>), Error> {
    let layout = project.layout();
    let elsewhere = match Elsewhere::of(project) {
        Some(elsewhere) => elsewhere.newest()?,
        None => None,
    };
    let own = ups.last();
    let higher = elsewhere.filter(|(_, theirs)| own.is_none_or(|own| theirs.version() > own.version()));
    let (newest, above) = match higher {
        Some((branch, theirs)) => (Some(theirs), Some(branch)),
        None => (own.cloned(), None),
    };
    let Some(newest) = newest else {
        let (numbering, _) = Numbering::first(layout);
        return Ok((numbering.begin(layout, now), None));
    };
    let shaped_by = own.unwrap_or(&newest);
    let all: Vec<String> = ups.iter().chain(std::iter::once(&newest)).map(|known| known.written().raw).collect();
    let numbering = Numbering::of(&shaped_by.written().raw, all.iter().map(String::as_str));
    Ok((numbering.after(&newest.written(), now), above))
}

/// Returns the paths and texts to make.
fn files(
    project: &Project,
    ups: &[Known],
    next: &Written,
    slug: &str,
    wanted: &NewVersion<'_>,
) -> Vec<(String, String)> {
    let layout = project.layout();
    let all = folders(project);
    let serving = all.iter().filter(|(_, engine)| match (engine, wanted.engine) {
        (Some(own), Some(wanted)) => *own == wanted,
        (None, _) | (_, None) => true,
    });
    let mut files = Vec::new();
    for (folder, folder_engine) in serving {
        let near = ups.iter().rev().find(|known| known.folder == *folder).or(ups.last());
        let suffix = match folder_engine {
            Some(_) => None,
            None => wanted.engine,
        };
        let named = Named { layout, near, next, slug, engine: suffix, uses_folders: uses_engine_folders(ups) };
        let up = format!("{folder}/{}", named.path(Role::Up));
        let up = up.trim_start_matches('/').to_owned();
        let texts = text::texts(project, folder, &up, next, wanted, folder_engine.or(wanted.engine));
        if wanted.no_transaction
            && let Some(sidecar) = layout.sidecar(&up)
        {
            files.push((sidecar.path.clone(), sidecar.no_transaction_text()));
        }
        files.push((up, texts.up));
        if let Some(down) = texts.down {
            files.push((format!("{folder}/{}", named.path(Role::Down)).trim_start_matches('/').to_owned(), down));
        }
    }
    files.sort();
    files
}

fn uses_engine_folders(ups: &[Known]) -> bool {
    ups.iter().any(|known| !known.parts.engine_folder.is_empty())
}

/// What a new path is made of.
struct Named<'a> {
    layout: Layout,
    near: Option<&'a Known>,
    next: &'a Written,
    slug: &'a str,
    engine: Option<Dialect>,
    uses_folders: bool,
}

impl Named<'_> {
    /// Returns the path below the scripts' folder.
    fn path(&self, role: Role) -> String {
        let parts: Option<&Parts> = self.near.map(|known| &known.parts);
        let (_, usual) = Numbering::first(self.layout);
        let separator = parts.map(Parts::separator).filter(|separator| !separator.is_empty()).unwrap_or(usual);
        let engine_folder = match self.engine {
            Some(engine) if self.uses_folders => format!("{engine}/"),
            _ => String::new(),
        };
        let suffix = match self.engine {
            Some(engine) if !self.uses_folders => format!(".{engine}"),
            _ => String::new(),
        };
        let pairs =
            self.layout == Layout::Pop || parts.is_some_and(|parts| parts.rest.to_ascii_lowercase().contains(".up."));
        let (folder, raw, slug) = (&self.next.folder, &self.next.raw, self.slug);
        let head = format!("{engine_folder}{folder}{raw}{separator}{slug}");
        match (self.layout, role) {
            (Layout::FolderPerChange, Role::Up) => {
                let file = parts.and_then(|parts| parts.rest.rsplit_once('/')).map_or("up.sql", |(_, file)| file);
                let file = if file.starts_with("migration") { "migration" } else { "up" };
                format!("{head}/{file}{suffix}.sql")
            }
            (Layout::FolderPerChange, Role::Down) => format!("{head}/down{suffix}.sql"),
            (Layout::Flyway, Role::Down) => {
                let undo = format!("{}U", folder.strip_suffix('V').unwrap_or(folder));
                format!("{engine_folder}{undo}{raw}{separator}{slug}{suffix}.sql")
            }
            (_, Role::Up) if pairs => format!("{head}{suffix}.up.sql"),
            (_, Role::Up) => format!("{head}{suffix}.sql"),
            (_, Role::Down) => format!("{head}{suffix}.down.sql"),
        }
    }
}

/// Writes a file that must not exist yet, with the folders above it.
fn create(root: &Path, path: &str, content: &str) -> Result<(), Error> {
    let file = root.join(path);
    let failed = |source| Error::Io { path: file.clone(), source };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut opened = std::fs::File::create_new(&file).map_err(failed)?;
    std::io::Write::write_all(&mut opened, content.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests;
