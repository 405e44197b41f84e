//! The project as it was at a revision, out of git, in a folder of its own.

use std::collections::BTreeSet;
use std::path::Path;

use crate::build::{Checkout, Site, discover};
use crate::error::Error;
use crate::git::{GitError, Repository};
use crate::project::{Project, SettingsError};

/// A project at a revision. Its files go with the value.
pub struct Revision {
    /// The project.
    pub project: Project,
    /// What it holds.
    pub checkout: Checkout,
    _folder: tempfile::TempDir,
}

/// Returns the repository that a project is in, and the project's folder within it.
pub fn repository(project: &Project) -> Result<(Repository, String), Error> {
    let root = project.files.root().ok_or_else(|| {
        SettingsError::new("verify/no-folder", "the project is inside a program: there is no git to ask")
    })?;
    let repository = Repository::find(root).ok_or_else(|| {
        SettingsError::new("verify/no-repository", format!("{} is in no git repository", root.display()))
            .hint("run this in a clone of the project's repository")
    })?;
    let top = repository.root().canonicalize().unwrap_or_else(|_| repository.root().to_owned());
    let here = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let inside = here.strip_prefix(&top).unwrap_or(Path::new(""));
    let inside = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
    Ok((repository, inside))
}

/// Returns the project's files that are not what they were where this branch left the main one.
pub fn changed(project: &Project) -> Result<BTreeSet<String>, Error> {
    let (repository, inside) = repository(project)?;
    let main = repository.main_branch().ok_or_else(|| {
        SettingsError::new("verify/no-main-branch", "there is no branch `main` or `master`, and no `origin/HEAD`")
            .hint("prove everything: `dbbuild verify`")
    })?;
    let base = repository.merge_base("HEAD", &main).map_err(Error::Git)?;
    let changed = repository.changed_since(&base, &inside).map_err(Error::Git)?;
    let prefix = if inside.is_empty() { String::new() } else { format!("{inside}/") };
    Ok(changed.iter().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_owned).collect())
}

impl Revision {
    /// Takes a revision out of git; the work tree is not touched.
    pub fn open(site: &Site<'_>, revision: &str) -> Result<Self, Error> {
        let (repository, inside) = repository(site.project)?;
        let folder = tempfile::Builder::new()
            .prefix("dbbuild-revision-")
            .tempdir()
            .map_err(|source| Error::Io { path: std::env::temp_dir(), source })?;
        repository.export(revision, &inside, folder.path()).map_err(|error: GitError| Error::Git(error))?;
        let mut project = Project::open(folder.path())?;
        // The journal knows it by the name that it has now.
        project.name.clone_from(&site.project.name);
        let checkout = discover(&project, site.engine.dialect())?;
        Ok(Self { project, checkout, _folder: folder })
    }

    /// Returns the site of this revision.
    pub fn site<'a>(&'a self, site: &Site<'a>) -> Site<'a> {
        Site { project: &self.project, ..site.clone() }
    }
}
