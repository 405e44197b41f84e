//! `dbbuild baseline --merge`: git's merge driver for the files of a baseline.
//!
//! Git runs a driver for each file in the midst of a merge, when the work tree holds neither side's scripts for sure.
//! So the driver asks git for the tree that the merge will come to, writes that tree into a folder, makes its baseline
//! there, and hands out the files one by one. What cannot be known (an octopus, a cherry-pick, scripts that are in
//! conflict themselves) stays a conflict, so that nothing stale is committed in silence.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Context, Exit, Outcome};
use crate::build;
use crate::engine::EngineError;
use crate::error::Error;
use crate::git::{MERGING, Repository};
use crate::hooks;
use crate::project::SETTINGS;
use crate::sql::Dialect;

/// How long a merged tree is kept for the other files of its merge.
const KEPT: Duration = Duration::from_secs(3_600);

/// Writes the merged file over ours; exits 1 for what stays a conflict.
pub fn run(context: &Context, ours: &str, path: &str) -> Outcome {
    // The merge is only tried, to learn the tree: the baseline is no part of what is asked.
    if context.host.variable(MERGING).is_some() {
        return Ok(Exit::Done);
    }
    match merged(context, path) {
        Ok(content) => {
            std::fs::write(ours, content).map_err(|source| Error::Io { path: PathBuf::from(ours), source })?;
            Ok(Exit::Done)
        }
        Err(why) => {
            context.note(&format!("{path}: {why}; once the scripts are merged: `dbbuild baseline` and `git add`"));
            Ok(Exit::Findings)
        }
    }
}

/// Returns the merged file, or why there is none.
fn merged(context: &Context, path: &str) -> Result<Vec<u8>, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let here = std::env::current_dir().map_err(|error| words(&error))?;
    let repository = Repository::find(&here).ok_or("this is no git repository")?;
    let variables = context.host.variables.keys().map(String::as_str);
    let other = hooks::being_merged(&repository, variables).map_err(|error| words(&error))?;
    let (base, theirs) = other.ok_or("which commit is merged is not known here")?;
    let (tree, conflicts) = repository.merge_tree(base.as_deref(), "HEAD", &theirs).map_err(|error| words(&error))?;

    let cache = repository.own_path("dbbuild-merge").map_err(|error| words(&error))?;
    forget(&cache);
    let folder = cache.join(&tree);
    let done = cache.join(format!("{tree}.done"));
    if !done.is_file() {
        std::fs::create_dir_all(&folder).map_err(|error| words(&error))?;
        repository.export_tree(Some(&tree), &folder).map_err(|error| words(&error))?;
    }
    let Some(Place { project, dialect, file }) = Place::of(&folder, path) else {
        return Err("it is no file of a baseline".to_owned());
    };
    let context = context.at(project);
    let opened = context.open_for(dialect).map_err(|error| words(&error))?;
    let inside = opened.project.files.root().and_then(|root| root.strip_prefix(&folder).ok()).map(Path::to_path_buf);
    let inside = inside.unwrap_or_default().display().to_string();
    let in_repository = |folder: &str| if inside.is_empty() { folder.to_owned() } else { format!("{inside}/{folder}") };
    let mut inputs: Vec<String> =
        crate::numbering::folders(&opened.project).into_iter().map(|(folder, _)| in_repository(&folder)).collect();
    inputs.extend(
        [opened.project.code_folder(), opened.project.seed_folder().to_owned(), SETTINGS.to_owned()]
            .map(|folder| in_repository(&folder)),
    );
    if let Some(conflict) = hooks::touched(&conflicts, &inputs).first() {
        return Err(format!("{conflict} is in conflict itself"));
    }
    let made = folder.with_extension(format!("{}.made", dialect.name()));
    if !made.is_file() {
        make(&context, &opened)?;
        std::fs::write(&made, "").and_then(|()| std::fs::write(&done, "")).map_err(|error| words(&error))?;
    }
    let path = folder.join(&inside).join(file);
    std::fs::read(path).map_err(|_| "the merged baseline has no such file".to_owned())
}

fn make(context: &Context, opened: &super::context::Opened) -> Result<(), String> {
    let site = opened.site(context);
    let made = build::baseline(&site, &mut crate::event::Silent);
    made.map(drop).map_err(|error| match error {
        Error::Engine(EngineError::Tool { message, hint }) => format!("{message} ({hint})"),
        other => other.to_string(),
    })
}

/// Where a file of a baseline belongs.
struct Place {
    /// The project's folder.
    project: PathBuf,
    /// The engine whose baseline it is of.
    dialect: Dialect,
    /// Its path within the project.
    file: PathBuf,
}

impl Place {
    /// Reads a path of the repository: `shop/baseline/sqlite/data/country.sql`. The project is the nearest folder
    /// upwards with settings, else the one that holds the baselines' folder.
    fn of(top: &Path, path: &str) -> Option<Self> {
        let full = top.join(path);
        let parts: Vec<&str> = path.split('/').collect();
        let at = parts.iter().rposition(|part| Dialect::ALL.iter().any(|dialect| dialect.name() == *part))?;
        let dialect = Dialect::ALL.into_iter().find(|dialect| Some(&dialect.name()) == parts.get(at))?;
        let above = full.ancestors().take_while(|folder| folder.starts_with(top));
        let with_settings = above.skip(1).find(|folder| folder.join(SETTINGS).is_file()).map(Path::to_path_buf);
        let project = match with_settings {
            Some(project) => project,
            None => top.join(parts.get(..at.checked_sub(1)?)?.join("/")),
        };
        project.is_dir().then(|| {
            let file = full.strip_prefix(&project).map_or_else(|_| PathBuf::from(path), Path::to_path_buf);
            Self { project, dialect, file }
        })
    }
}

/// Removes the trees of merges that are over.
fn forget(cache: &Path) {
    for entry in cache.read_dir().into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|time| time.elapsed().ok());
        if age.is_some_and(|age| age > KEPT) {
            let path = entry.path();
            let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            // What stays harms nobody.
            removed.ok();
        }
    }
}
