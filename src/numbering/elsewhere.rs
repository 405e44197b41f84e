//! The scripts that other branches have, as git knows them.

use std::collections::BTreeSet;

use super::known::{Known, folders, known};
use crate::error::Error;
use crate::git::Repository;
use crate::project::Project;

/// The repository that a project is in.
#[derive(Debug)]
pub struct Elsewhere<'a> {
    project: &'a Project,
    repository: Repository,
    /// The project's folder in the repository, with a `/` behind it, or nothing.
    prefix: String,
}

impl<'a> Elsewhere<'a> {
    /// Finds the repository; `None` outside of one or without git.
    pub fn of(project: &'a Project) -> Option<Self> {
        let root = project.files.root()?.canonicalize().ok()?;
        let repository = Repository::find(&root)?;
        let top = repository.root().canonicalize().ok()?;
        let inside = root.strip_prefix(&top).ok()?.to_str()?.replace('\\', "/");
        let prefix = if inside.is_empty() { inside } else { format!("{inside}/") };
        Some(Self { project, repository, prefix })
    }

    /// Returns the repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Returns the branch that work is merged into.
    pub fn main_branch(&self) -> Option<String> {
        self.project.settings.project.main_branch.clone().or_else(|| self.repository.main_branch())
    }

    /// Returns a project's path as the repository has it.
    pub fn in_repository(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Returns the scripts at a commit, by paths relative to the project.
    pub fn scripts_at(&self, commit: &str) -> Result<Vec<Known>, Error> {
        let mut paths = Vec::new();
        for (folder, _) in folders(self.project) {
            let folder = self.in_repository(&folder);
            let folder = if folder.is_empty() { "." } else { folder.trim_end_matches('/') };
            paths.extend(self.repository.files(commit, folder)?);
        }
        let inside = paths.iter().filter_map(|path| path.strip_prefix(self.prefix.as_str()));
        Ok(known(self.project, inside)?)
    }

    /// Returns the newest script of any local or remote-tracking branch, with the branch's name.
    pub fn newest(&self) -> Result<Option<(String, Known)>, Error> {
        let format = "--format=%(objectname) %(symref) %(refname:short)";
        let branches = self.repository.ask(&["for-each-ref", format, "refs/heads", "refs/remotes"])?;
        let mut seen = BTreeSet::new();
        let mut newest: Option<(String, Known)> = None;
        for line in branches.lines() {
            // A symbolic name (`origin/HEAD`) stands for a branch that is listed itself.
            let mut words = line.splitn(3, ' ');
            let (Some(commit), Some(""), Some(branch)) = (words.next(), words.next(), words.next()) else { continue };
            if !seen.insert(commit) {
                continue;
            }
            let ups = self.scripts_at(commit)?.into_iter().filter(|known| known.parts.is_up());
            if let Some(top) = ups.max_by(|a, b| a.version().cmp(b.version()))
                && newest.as_ref().is_none_or(|(_, known)| top.version() > known.version())
            {
                newest = Some((branch.to_owned(), top));
            }
        }
        Ok(newest)
    }
}
