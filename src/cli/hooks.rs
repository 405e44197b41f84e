//! `dbbuild hooks`: installs git hooks, takes them out, and is what they run.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::render::Diagnostic;
use super::{Context, Exit, Outcome, lint};
use crate::build::{self, Wish};
use crate::error::{Class, Error};
use crate::hooks::{self, Home};
use crate::project::{Files, Project};
use crate::sql::Dialect;

/// What is done with hooks.
#[derive(Debug, Clone, Subcommand)]
pub enum What {
    /// Install the hooks beside those that are there, and register the baseline's merge driver.
    Install,
    /// Take out what `install` put in.
    Uninstall,
    /// Do the work of a hook; what `install` writes into the hooks runs this.
    Run {
        /// The hook: pre-commit, post-commit, post-merge, post-checkout, post-rewrite.
        hook: String,
        /// What git gives it.
        arguments: Vec<String>,
    },
}

/// Runs one of them.
pub fn run(context: &Context, what: &What) -> Outcome {
    match what {
        What::Install => {
            let changes = hooks::install(&context.project()?, &command(context))?;
            report(context, &changes, "installed", "the hooks are installed");
        }
        What::Uninstall => {
            let changes = hooks::uninstall(&context.project()?)?;
            report(context, &changes, "taken out", "the hooks are taken out");
        }
        What::Run { hook, arguments } => return work(context, hook, arguments),
    }
    Ok(Exit::Done)
}

fn report(context: &Context, changes: &[String], word: &str, answer: &str) {
    if context.is_json() {
        context.document(&json!({"v": 1, "changed": changes}));
        return;
    }
    changes.iter().for_each(|change| context.print(format!("  {word:<9} {change}")));
    context.print(if changes.is_empty() { "nothing to do" } else { answer });
}

/// Returns how a shell runs this program: by its name where the search path leads to it.
fn command(context: &Context) -> String {
    let is_there = |folder: &PathBuf| folder.join("dbbuild").is_file();
    match std::env::current_exe() {
        Ok(program) if !context.host.search_path().iter().any(is_there) => {
            format!("'{}'", program.display().to_string().replace('\'', "'\\''"))
        }
        _ => "dbbuild".to_owned(),
    }
}

fn work(context: &Context, hook: &str, arguments: &[String]) -> Outcome {
    let project = context.project()?;
    let home = Home::of(&project)?;
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match (hook, words.as_slice()) {
        ("pre-commit", _) => before_commit(context, &project, &home),
        ("post-commit", _) => hooks::follow(&home).map(|()| Exit::Done),
        ("post-merge", _) => Ok(after(context, &project, &home, "ORIG_HEAD", "HEAD", true)),
        // Each commit that a rebase takes up is a checkout; its end is the next hook.
        ("post-checkout", _) if is_rebasing(&home) => Ok(Exit::Done),
        // The last one says whether it was a branch that was checked out, or single files (githooks(5)).
        ("post-checkout", [old, new, "1"]) if old != new => Ok(after(context, &project, &home, old, new, false)),
        ("post-rewrite", ["rebase", ..]) => Ok(after(context, &project, &home, "ORIG_HEAD", "HEAD", true)),
        _ => Ok(Exit::Done),
    }
}

/// Lints what is staged and stages the baseline that belongs to it. A commit that touches no script, code object or
/// seed ends at the first question.
fn before_commit(context: &Context, project: &Project, home: &Home) -> Outcome {
    let staged = home.repository.paths(&["diff", "--cached", "--name-only", "--no-renames", "-z"])?;
    let inputs = hooks::inputs(project, home);
    let touched = hooks::touched(&staged, &inputs);
    if touched.is_empty() {
        return Ok(Exit::Done);
    }
    // What is committed is what is staged. Where the work tree has more, the index is looked at beside it.
    let mut asked = vec!["ls-files", "-m", "-d", "-o", "--exclude-standard", "-z", "--"];
    let folders: Vec<&str> =
        inputs.iter().map(|folder| if folder.is_empty() { "." } else { folder.as_str() }).collect();
    asked.extend(&folders);
    let baselines = home.in_repository(&project.baseline_folder(Dialect::Sqlite));
    let baselines = baselines.rsplit_once('/').map_or(baselines.as_str(), |(folder, _)| folder).to_owned();
    let unstaged = home.repository.paths(&asked)?;
    let only_baselines = unstaged.iter().all(|path| path.starts_with(&format!("{baselines}/")));
    let exported = if only_baselines { None } else { Some(export(context, home)?) };
    let root = match &exported {
        Some(folder) => folder.path().join("tree").join(&home.inside),
        None => project.files.root().map(Path::to_path_buf).unwrap_or_default(),
    };
    let at = context.at(root.clone());

    let inside = |path: &&str| path.strip_prefix(&home.inside).map(|path| path.trim_start_matches('/').to_owned());
    let scripts = touched.iter().filter_map(inside).map(|path| root.join(path));
    let paths: Vec<String> = scripts
        .filter(|path| path.is_file() && path.extension().is_some_and(|ending| ending == "sql"))
        .map(|path| path.display().to_string())
        .collect();
    // What a merge brings was looked at when it was committed.
    let is_merge = home.repository.own_path("MERGE_HEAD")?.is_file();
    if !paths.is_empty() && !is_merge {
        let exit = lint::run(&at, &lint::LintArgs { paths, ..lint::LintArgs::default() })?;
        if exit != Exit::Done {
            context.note("the commit is stopped: mend the scripts and stage them again");
            return Ok(exit);
        }
    }
    for dialect in Dialect::ALL {
        keep_baseline(context, &at, project, home, dialect, exported.is_some())?;
    }
    Ok(Exit::Done)
}

fn export(context: &Context, home: &Home) -> Result<tempfile::TempDir, Error> {
    let io = |source| Error::Io { path: context.host.temporary.clone(), source };
    let folder = tempfile::Builder::new().prefix("dbbuild-index-").tempdir_in(&context.host.temporary).map_err(io)?;
    let tree = folder.path().join("tree");
    std::fs::create_dir(&tree).map_err(io)?;
    home.repository.export_tree(None, &tree)?;
    Ok(folder)
}

/// Brings one engine's baseline to what is staged, and stages it. Without PostgreSQL on this machine a commit goes on.
fn keep_baseline(
    context: &Context,
    at: &Context,
    project: &Project,
    home: &Home,
    dialect: Dialect,
    is_export: bool,
) -> Result<(), Error> {
    let folder = project.baseline_folder(dialect);
    let is_there = |files: &Files| !files.walk(&folder).is_empty();
    let Ok(opened) = at.open_for(dialect) else { return Ok(()) };
    let wants = || {
        let chosen = at.open().is_ok_and(|chosen| chosen.engine.dialect() == dialect);
        let is_development = opened.target.environment.as_deref() == Some("development");
        chosen && opened.target.baseline.unwrap_or(is_development)
    };
    if !is_there(&opened.project.files) && !is_there(&project.files) && !wants() {
        return Ok(());
    }
    let regenerated = match build::baseline(&opened.site(at), &mut *at.listener()) {
        Ok(regenerated) => regenerated,
        Err(error) if error.class() == Class::Outside => {
            context.note(&format!("{folder} stays as it is: {error}"));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    if let (true, Some(to), Some(from)) = (is_export, project.files.root(), opened.project.files.root()) {
        take_over(&from.join(&folder), &to.join(&folder))?;
    }
    let path = home.in_repository(&folder);
    hooks::stage(home, &path, context.host.variable("GIT_INDEX_FILE"))?;
    if !regenerated.changed.is_empty() {
        context.say(format!("  staged    {folder}"));
    }
    Ok(())
}

/// Makes a baseline's folder in the work tree what it is in the index.
fn take_over(from: &Path, to: &Path) -> Result<(), Error> {
    let io = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::Io { path, source }
    };
    let files = |folder: &Path| {
        let found = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
        let found = found.filter(|entry| entry.file_type().is_file());
        found.filter_map(|entry| entry.path().strip_prefix(folder).ok().map(Path::to_path_buf)).collect::<Vec<_>>()
    };
    let there = files(from);
    for path in &there {
        let (from, to) = (from.join(path), to.join(path));
        let content = std::fs::read(&from).map_err(io(&from))?;
        if std::fs::read(&to).is_ok_and(|other| other == content) {
            continue;
        }
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(io(folder))?;
        }
        std::fs::write(&to, content).map_err(io(&to))?;
    }
    for path in files(to).into_iter().filter(|path| !there.contains(path)) {
        std::fs::remove_file(to.join(&path)).map_err(io(&to.join(&path)))?;
    }
    Ok(())
}

fn is_rebasing(home: &Home) -> bool {
    let is_there = |name: &str| home.repository.own_path(name).is_ok_and(|path| path.exists());
    is_there("rebase-merge") || is_there("rebase-apply")
}

/// Builds the development database if what it is made of changed between two commits. Git has done its work by now:
/// whatever goes wrong here is told, and fails nothing.
fn after(context: &Context, project: &Project, home: &Home, old: &str, new: &str, tell: bool) -> Exit {
    let inputs = hooks::inputs(project, home);
    let changed = home.repository.paths(&["diff", "--name-only", "--no-renames", "-z", old, new]);
    // A commit that is not known (a clone's first checkout) is taken for a change.
    let is_untouched = changed.is_ok_and(|changed| hooks::touched(&changed, &inputs).is_empty());
    if is_untouched {
        return Exit::Done;
    }
    if let Err(error) = develop(context, tell) {
        let told = Diagnostic::of(&error, &context.command_line());
        told.iter().for_each(|diagnostic| context.note(&diagnostic.text()));
    }
    Exit::Done
}

/// Builds the default target if it is for development, and nobody's else.
fn develop(context: &Context, tell: bool) -> Result<(), Error> {
    let opened = context.open()?;
    let first = build::first_mark(&opened.target, opened.engine.is_local());
    let is_development = first.as_ref().is_some_and(|mark| mark.environment == "development" && !mark.protected);
    if is_development {
        let site = opened.site(context);
        let survey = build::survey(&site, &Wish { no_baseline: true, ..Wish::default() })?;
        let is_marked = survey.inspection.mark.as_ref();
        if is_marked.is_none_or(|mark| mark.environment == "development" && !mark.protected) {
            super::build::run(context, &super::build::BuildArgs { no_baseline: true, ..Default::default() })?;
        }
    }
    let folder = opened.project.baseline_folder(opened.engine.dialect());
    if tell && !opened.project.files.walk(&folder).is_empty() {
        let site = opened.site(context);
        if !matches!(build::baseline_worth(&site)?, build::Worth::Belongs { .. }) {
            context.note(&format!("{folder} is not of these scripts: run `dbbuild baseline` and commit it"));
        }
    }
    Ok(())
}
