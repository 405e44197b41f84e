//! Git hooks of a project: a block in each hook, beside what is there, and the merge driver of the baseline.
//!
//! Promises: what others wrote in a hook stays, byte by byte; installing twice changes nothing; uninstalling takes
//! out what installing put in; what cannot be done is refused before anything is written.

use std::path::{Path, PathBuf};

use crate::build::Refusal;
use crate::error::Error;
use crate::git::{GitError, Repository};
use crate::project::Project;

mod attributes;
mod block;

use block::{Block, is_shell};

/// The hooks that have something to do.
pub const HOOKS: [&str; 5] = ["pre-commit", "post-commit", "post-merge", "post-checkout", "post-rewrite"];

/// The name of the merge driver.
pub const DRIVER: &str = "dbbuild";

/// Holds, between the two hooks of a commit of some paths, the folders that the first one staged.
const STAGED_BESIDE: &str = "dbbuild-staged";

/// What was written, a line each; nothing if all was there.
pub type Changes = Vec<String>;

/// A project's place in its repository.
pub struct Home {
    /// The repository.
    pub repository: Repository,
    /// The project's folder in it; empty for the top folder.
    pub inside: String,
    root: PathBuf,
}

impl Home {
    /// Finds it.
    pub fn of(project: &Project) -> Result<Self, Error> {
        let none =
            || Refusal::new("hooks/no-repository", "the project is in no git repository").hint("`git init` makes one");
        let root = project.files.root().and_then(|root| root.canonicalize().ok()).ok_or_else(none)?;
        let repository = Repository::find(&root).ok_or_else(none)?;
        let top = repository.root().canonicalize().map_err(|source| io(repository.root(), source))?;
        let inside = root.strip_prefix(&top).ok().and_then(Path::to_str).map(|inside| inside.replace('\\', "/"));
        Ok(Self { inside: inside.ok_or_else(none)?, repository, root })
    }

    /// Returns a path of the project as git has it.
    pub fn in_repository(&self, path: &str) -> String {
        if self.inside.is_empty() { path.to_owned() } else { format!("{}/{path}", self.inside) }
    }

    /// Returns the folder of the hooks. One that is outside of the repository is shared with others.
    fn hooks(&self) -> Result<PathBuf, Error> {
        let folder = self.repository.own_path("hooks")?;
        let common = self.repository.ask(&["rev-parse", "--git-common-dir"])?;
        let common = self.repository.root().join(common.trim_end_matches('\n'));
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let is_ours = |path: &Path| {
            let parent = path.parent().map_or_else(|| path.to_owned(), real);
            [real(&common), real(self.repository.root())].iter().any(|home| parent.starts_with(home))
        };
        if !is_ours(&folder) {
            return Err(Refusal::new(
                "hooks/elsewhere",
                format!("core.hooksPath is {}, which other repositories use too", folder.display()),
            )
            .hint("give this repository hooks of its own: `git config core.hooksPath .git/hooks`")
            .into());
        }
        // Husky writes `_` anew each time and runs the files beside it.
        let is_husky = folder.ends_with(".husky/_");
        Ok(if is_husky { folder.parent().map_or(folder.clone(), Path::to_owned) } else { folder })
    }
}

/// Installs. `command` is how a shell runs this program.
pub fn install(project: &Project, command: &str) -> Result<Changes, Error> {
    let home = Home::of(project)?;
    let folder = home.hooks()?;
    // Everything is looked at before anything is written.
    let mut hooks = Vec::new();
    for name in HOOKS {
        let path = folder.join(name);
        let before = read(&path)?;
        refuse_foreign(&path, before.as_deref())?;
        let after =
            Block { project: &home.inside, hook: name, command }.put_into(before.as_deref().unwrap_or_default());
        hooks.push((path, before, after));
    }
    let mut changes = Changes::new();
    for (path, before, after) in hooks {
        if before.as_deref() != Some(after.as_str()) {
            write(&path, &after)?;
            changes.push(format!("hook {}", shown(&home, &path)));
        }
    }
    for (name, value) in [
        ("name", "rebuilds dbbuild's baseline from the merged scripts".to_owned()),
        ("driver", format!("{command} baseline --merge %O %A %B %P")),
    ] {
        let name = format!("merge.{DRIVER}.{name}");
        if home.repository.setting(&name).as_deref() != Some(value.as_str()) {
            home.repository.ask(&["config", "--local", &name, &value])?;
            changes.push(format!("setting {name}"));
        }
    }
    let line = attributes::line(project);
    let path = home.root.join(".gitattributes");
    let before = read(&path)?.unwrap_or_default();
    if let Some(after) = attributes::with(&before, &line) {
        std::fs::write(&path, after).map_err(|source| io(&path, source))?;
        changes.push(format!("{} in {}, to be committed", line, home.in_repository(".gitattributes")));
    }
    Ok(changes)
}

/// Takes out what `install` put in.
pub fn uninstall(project: &Project) -> Result<Changes, Error> {
    let home = Home::of(project)?;
    let folder = home.hooks()?;
    let mut changes = Changes::new();
    let mut others = false;
    for name in HOOKS {
        let path = folder.join(name);
        let Some(before) = read(&path)? else { continue };
        let after = Block { project: &home.inside, hook: name, command: "" }.taken_from(&before);
        others |= after.contains(block::MARK);
        if after == before {
            continue;
        }
        if block::is_empty(&after) {
            std::fs::remove_file(&path).map_err(|source| io(&path, source))?;
        } else {
            write(&path, &after)?;
        }
        changes.push(format!("hook {}", shown(&home, &path)));
    }
    // Another project of the repository may have its hooks too.
    if !others && home.repository.setting(&format!("merge.{DRIVER}.driver")).is_some() {
        home.repository.ask(&["config", "--local", "--remove-section", &format!("merge.{DRIVER}")])?;
        changes.push(format!("settings merge.{DRIVER}.*"));
    }
    let path = home.root.join(".gitattributes");
    let line = attributes::line(project);
    let committed = home.repository.ask(&["show", &format!("HEAD:{}", home.in_repository(".gitattributes"))]);
    // What is committed is the team's: without the driver git merges these files as any others.
    if !committed.is_ok_and(|text| text.lines().any(|other| other == line))
        && let Some(after) = read(&path)?.and_then(|before| attributes::without(&before, &line))
    {
        if after.is_empty() {
            std::fs::remove_file(&path).map_err(|source| io(&path, source))?;
        } else {
            std::fs::write(&path, after).map_err(|source| io(&path, source))?;
        }
        changes.push(format!("the line in {}", home.in_repository(".gitattributes")));
    }
    Ok(changes)
}

/// A hook that a shell does not run, or that is not switched on, is not ours to change.
fn refuse_foreign(path: &Path, text: Option<&str>) -> Result<(), Refusal> {
    let Some(text) = text else { return Ok(()) };
    let why = if !is_shell(text) {
        "is no shell script"
    } else if path.is_symlink() {
        "is a link to a file that others may use"
    } else if !is_executable(path) {
        "is not executable, and would be switched on"
    } else {
        return Ok(());
    };
    Err(Refusal::new("hooks/foreign", format!("{} {why}", path.display()))
        .hint("make it an executable shell script that runs what it is now, and install again"))
}

fn read(path: &Path) -> Result<Option<String>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(io(path, source)),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| io(folder, source))?;
    }
    std::fs::write(path, text).map_err(|source| io(path, source))?;
    switch_on(path).map_err(|source| io(path, source))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
        // Husky runs its files by a shell.
        || path.parent().is_some_and(|folder| folder.ends_with(".husky"))
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> bool {
    true
}

#[cfg(unix)]
fn switch_on(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = path.metadata()?.permissions();
    permissions.set_mode(permissions.mode() | 0o755);
    std::fs::set_permissions(path, permissions)
}

#[cfg(not(unix))]
fn switch_on(_: &Path) -> std::io::Result<()> {
    Ok(())
}

fn shown(home: &Home, path: &Path) -> String {
    path.strip_prefix(home.repository.root()).unwrap_or(path).display().to_string()
}

fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Io { path: path.to_owned(), source }
}

/// Returns the folders and files of a project, as git has them, that make a database what it is.
pub fn inputs(project: &Project, home: &Home) -> Vec<String> {
    let mut folders: Vec<String> = crate::numbering::folders(project).into_iter().map(|(folder, _)| folder).collect();
    folders.extend([project.code_folder(), project.seed_folder().to_owned(), crate::project::SETTINGS.to_owned()]);
    folders.iter().map(|folder| home.in_repository(folder).trim_end_matches('/').to_owned()).collect()
}

/// Returns those of some paths that are an input of the project's database.
pub fn touched<'a>(paths: &'a [String], inputs: &[String]) -> Vec<&'a str> {
    let below = |path: &str, folder: &str| {
        folder.is_empty() || path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    };
    paths.iter().map(String::as_str).filter(|path| inputs.iter().any(|folder| below(path, folder))).collect()
}

/// Stages a folder for the commit that is being made. `index` is the index that git has named for it.
///
/// A commit of some paths (`git commit FILE`) is made from an index of its own, and what is staged there is not in the
/// repository's: `follow` puts that right once the commit is made.
pub fn stage(home: &Home, folder: &str, index: Option<&str>) -> Result<(), Error> {
    home.repository.ask(&["add", "--all", "--", folder])?;
    let is_beside = index
        .and_then(|index| Path::new(index).file_name()?.to_str())
        .is_some_and(|name| name.starts_with("next-index"));
    if is_beside {
        let path = home.repository.own_path(STAGED_BESIDE)?;
        let before = read(&path)?.unwrap_or_default();
        std::fs::write(&path, format!("{before}{folder}\n")).map_err(|source| io(&path, source))?;
    }
    Ok(())
}

/// Gives the repository's index the folders that a commit of some paths has staged beside it.
pub fn follow(home: &Home) -> Result<(), Error> {
    let path = home.repository.own_path(STAGED_BESIDE)?;
    let Some(folders) = read(&path)? else { return Ok(()) };
    std::fs::remove_file(&path).map_err(|source| io(&path, source))?;
    let mut reset = vec!["reset", "--quiet", "HEAD", "--"];
    reset.extend(folders.lines());
    home.repository.ask(&reset).map(drop)?;
    Ok(())
}

/// Returns the commit that is being merged into the checkout, and the base if it is not the common one: what `git
/// merge` says in `GITHEAD_…`, or the commit that a rebase has just taken up.
pub fn being_merged<'a>(
    repository: &Repository,
    variables: impl IntoIterator<Item = &'a str>,
) -> Result<Option<(Option<String>, String)>, GitError> {
    let heads: Vec<&str> = variables.into_iter().filter_map(|name| name.strip_prefix("GITHEAD_")).collect();
    match heads.as_slice() {
        [one] => return Ok(Some((None, (*one).to_owned()))),
        // An octopus.
        [_, _, ..] => return Ok(None),
        [] => {}
    }
    let done = repository.own_path("rebase-merge/done")?;
    let Ok(done) = std::fs::read_to_string(done) else { return Ok(None) };
    let last = done.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut words = last.split_whitespace();
    let is_pick = words.next().is_some_and(|word| matches!(word, "pick" | "p" | "reword" | "r" | "edit" | "e"));
    let Some(commit) = words.next().filter(|_| is_pick) else { return Ok(None) };
    Ok(Some((Some(format!("{commit}^")), commit.to_owned())))
}
