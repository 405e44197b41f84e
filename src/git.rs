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

/// Set while a merge is only tried: merge drivers of this program do nothing then.
pub const MERGING: &str = "DBBUILD_MERGING";

/// A git work tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    root: PathBuf,
}

impl Repository {
    /// Finds the work tree that holds a folder; `None` outside of one or without git.
    pub fn find(folder: &Path) -> Option<Self> {
        if !is_below_one(folder) {
            return None;
        }
        let output = git().current_dir(folder).args(["rev-parse", "--show-toplevel"]).output().ok()?;
        let root = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| Self { root: PathBuf::from(root.trim_end_matches('\n')) })
    }

    /// Returns the work tree's top folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the commit of the checkout that a folder is in, in one question.
    pub fn head_around(folder: &Path) -> Option<String> {
        is_below_one(folder).then(|| Self { root: folder.to_owned() })?.head()
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

    /// Returns the path of something in git's own folder (`hooks`, `info/attributes`), wherever that is: worktrees
    /// share some of it, and `core.hooksPath` moves the hooks.
    pub fn own_path(&self, name: &str) -> Result<PathBuf, GitError> {
        let path = self.ask(&["rev-parse", "--git-path", name])?;
        Ok(self.root.join(path.trim_end_matches('\n')))
    }

    /// Returns a local setting.
    pub fn setting(&self, name: &str) -> Option<String> {
        self.ask(&["config", "--local", "--get", name]).ok().map(|value| value.trim_end_matches('\n').to_owned())
    }

    /// Returns the paths that a command prints with `-z`.
    pub fn paths(&self, arguments: &[&str]) -> Result<Vec<String>, GitError> {
        let text = self.ask(arguments)?;
        Ok(text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
    }

    /// Returns the tree of a merge that is made in no work tree, and the paths that are in conflict. Merge drivers of
    /// this program leave everything as it is meanwhile: they see [`MERGING`]. Needs git 2.40.
    pub fn merge_tree(&self, base: Option<&str>, ours: &str, theirs: &str) -> Result<(String, Vec<String>), GitError> {
        let mut arguments = vec!["merge-tree".to_owned(), "--write-tree".into(), "--name-only".into(), "-z".into()];
        arguments.push("--no-messages".into());
        arguments.extend(base.map(|base| format!("--merge-base={base}")));
        arguments.extend([ours.to_owned(), theirs.to_owned()]);
        let mut command = git();
        let output = command.current_dir(&self.root).args(&arguments).env(MERGING, "1").output();
        let output = output.map_err(GitError::Missing)?;
        // 1 says that there are conflicts (git-merge-tree(1), EXIT STATUS).
        if !matches!(output.status.code(), Some(0 | 1)) {
            let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(GitError::Failed { command: arguments.join(" "), message });
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut parts = text.split('\0').filter(|part| !part.is_empty()).map(|part| part.trim().to_owned());
        let tree = parts.next().unwrap_or_default();
        Ok((tree, parts.collect()))
    }

    /// Writes the files of a tree, or of the index, into a folder, as a checkout would.
    pub fn export_tree(&self, tree: Option<&str>, folder: &Path) -> Result<(), GitError> {
        let index = folder.with_extension("index");
        let run = |arguments: &[&str]| {
            let mut command = git();
            command.current_dir(&self.root).args(arguments);
            if tree.is_some() {
                command.env("GIT_INDEX_FILE", &index);
            }
            let output = command.output().map_err(GitError::Missing)?;
            let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            if output.status.success() {
                Ok(())
            } else {
                Err(GitError::Failed { command: arguments.join(" "), message })
            }
        };
        if let Some(tree) = tree {
            run(&["read-tree", tree])?;
        }
        let exported = run(&["checkout-index", "--all", "--force", &format!("--prefix={}/", folder.display())]);
        // It was needed for this alone; what stays harms nobody.
        std::fs::remove_file(&index).ok();
        exported
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
            let mut command = git();
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
        let output = git().current_dir(&self.root).args(arguments).output().map_err(GitError::Missing)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(GitError::Failed { command: arguments.join(" "), message })
    }
}

/// Returns true if git may find a repository around a folder: to run git takes longer than to look.
fn is_below_one(folder: &Path) -> bool {
    folder.canonicalize().is_ok_and(|folder| folder.ancestors().any(|above| above.join(".git").exists()))
}

/// A hook in a linked work tree has `GIT_DIR` set, with which git takes any folder for the work tree's top. The index
/// that a hook is given stays.
fn git() -> Command {
    let mut command = Command::new("git");
    command.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_PREFIX");
    command
}
