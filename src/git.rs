//! What the tool asks git. Git is a program on the search path; a folder that is no repository is no error.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Why git could not answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// Git is not installed, or does not run.
    #[error("cannot run git: {0}")]
    Missing(std::io::Error),
    /// Git refused.
    #[error("git {command}: {message}")]
    Failed {
        /// What was asked.
        command: String,
        /// What git said.
        message: String,
    },
}

/// A git work tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    root: PathBuf,
}

impl Repository {
    /// Finds the work tree that holds a folder; `None` outside of one or without git.
    pub fn find(folder: &Path) -> Option<Self> {
        let output = Command::new("git").current_dir(folder).args(["rev-parse", "--show-toplevel"]).output().ok()?;
        let root = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| Self { root: PathBuf::from(root.trim_end_matches('\n')) })
    }

    /// Returns the work tree's top folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the commit of the checkout; `None` before the first commit.
    pub fn head(&self) -> Option<String> {
        self.ask(&["rev-parse", "--verify", "--quiet", "HEAD"]).ok().map(|text| text.trim().to_owned())
    }

    /// Returns the names of the local branches and of the remote-tracking ones.
    pub fn branches(&self) -> Result<Vec<String>, GitError> {
        let text = self.ask(&["for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes"])?;
        Ok(text.lines().filter(|name| !name.ends_with("/HEAD")).map(str::to_owned).collect())
    }

    /// Returns the branch that work is merged into: what `origin/HEAD` names, else `main` or `master`.
    pub fn main_branch(&self) -> Option<String> {
        if let Ok(name) = self.ask(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"]) {
            return Some(name.trim().to_owned());
        }
        let exists =
            |name: &&str| self.ask(&["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")]).is_ok();
        ["main", "master"].into_iter().find(exists).map(str::to_owned)
    }

    /// Returns the paths below a folder (relative to the top folder) at a commit.
    pub fn files(&self, commit: &str, folder: &str) -> Result<Vec<String>, GitError> {
        let text = self.ask(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--", folder])?;
        Ok(text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
    }

    /// Returns the commit that both have in common.
    pub fn merge_base(&self, one: &str, other: &str) -> Result<String, GitError> {
        self.ask(&["merge-base", one, other]).map(|text| text.trim().to_owned())
    }

    /// Returns the paths below a folder (relative to the top folder) that are not what they were at a commit, new
    /// ones included.
    pub fn changed_since(&self, commit: &str, folder: &str) -> Result<Vec<String>, GitError> {
        let folder = if folder.is_empty() { "." } else { folder };
        let changed = self.ask(&["diff", "--name-only", "-z", "--no-renames", commit, "--", folder])?;
        let new = self.ask(&["ls-files", "-z", "--others", "--exclude-standard", "--full-name", "--", folder])?;
        let paths = changed.split('\0').chain(new.split('\0'));
        Ok(paths.filter(|path| !path.is_empty()).map(str::to_owned).collect())
    }

    /// Writes the files below a folder (relative to the top folder) at a revision into another folder. Neither the
    /// work tree nor the index is touched.
    pub fn export(&self, revision: &str, folder: &str, into: &Path) -> Result<(), GitError> {
        let index = into.join(".dbbuild-index");
        let commit = self.ask(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]);
        let commit = commit.map_err(|error| match error {
            GitError::Failed { .. } => GitError::Failed {
                command: format!("rev-parse {revision}"),
                message: format!("there is no revision `{revision}` here"),
            },
            missing @ GitError::Missing(_) => missing,
        })?;
        // The folder's own tree, so that only its files come.
        let tree = format!("{}:{folder}", commit.trim());
        let mut prefix = into.as_os_str().to_owned();
        prefix.push("/");
        let mut out = std::ffi::OsString::from("--prefix=");
        out.push(&prefix);
        for arguments in [vec!["read-tree".into(), tree.into()], vec!["checkout-index".into(), "--all".into(), out]] {
            let mut command = Command::new("git");
            command.current_dir(&self.root).env("GIT_INDEX_FILE", &index).args(&arguments);
            let output = command.output().map_err(GitError::Missing)?;
            if !output.status.success() {
                let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                let command = arguments.first().map(|word: &std::ffi::OsString| word.to_string_lossy().into_owned());
                return Err(GitError::Failed { command: command.unwrap_or_default(), message });
            }
        }
        // It was for this export only; left behind it harms nobody.
        let _gone = std::fs::remove_file(&index);
        Ok(())
    }

    /// Runs git and returns what it prints.
    pub fn ask(&self, arguments: &[&str]) -> Result<String, GitError> {
        let output = Command::new("git").current_dir(&self.root).args(arguments).output().map_err(GitError::Missing)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(GitError::Failed { command: arguments.join(" "), message })
    }
}
