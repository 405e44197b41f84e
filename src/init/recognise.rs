//! What is in a repository already.

use std::collections::BTreeMap;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use super::candidates::{Candidate, Numbers, candidates, numbered_behind, unnumbered};
use super::reading::Reading;
use super::{sqitch, survey, variable};
use crate::error::Error;
use crate::project::settings::LayoutSettings;
use crate::project::{EngineName, Layout};
use crate::script::Version;

/// A repository's scripts and the settings that fit them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// The project's name.
    pub name: String,
    /// How the scripts are named.
    pub layout: Layout,
    /// Where they are.
    pub folders: Folders,
    /// The engines they are for.
    pub engines: Vec<EngineName>,
    /// The scripts of each engine, in order.
    pub scripts: BTreeMap<EngineName, Vec<RecognisedScript>>,
    /// The newest version.
    pub newest: Option<Version>,
    /// Scripts that need directives, which the settings give them.
    pub directives: BTreeMap<Version, Vec<String>>,
    /// Files in the scripts' folders that are no scripts.
    pub ignore: Vec<String>,
    /// True if the versions are in order only as dates.
    pub dates: bool,
    /// True if scripts are templates, although their layout's are not.
    pub templates: bool,
    /// Versions of files that share theirs with another.
    pub versions: BTreeMap<String, String>,
    /// The folder of the seeds, where the usual one holds something else.
    pub seed: Option<String>,
    /// The variable that holds the database's URL, if one is in use.
    pub variable: Option<String>,
    /// What the user should know: guesses, and what a build would refuse.
    pub notes: Vec<String>,
}

/// Where scripts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folders {
    /// In one folder.
    One(String),
    /// In a folder for each engine.
    PerEngine(BTreeMap<EngineName, String>),
}

/// A script that was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecognisedScript {
    /// The version.
    pub version: Version,
    /// The name.
    pub name: String,
    /// The file, relative to the project.
    pub file: String,
}

/// Folders that hold other people's files, or made ones.
const FOREIGN: [&str; 9] =
    ["node_modules", "target", "vendor", "third_party", "dist", "build", "out", "venv", "__pycache__"];

/// What looking for scripts came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognition {
    /// There are scripts.
    Scripts(Box<Recognised>),
    /// There are none that dbbuild knows how to read: what is there instead, a line each.
    Nothing(Vec<String>),
}

/// Looks for scripts in a repository. `engine` is theirs where their folder does not say another.
pub fn recognise(root: &Path, name: &str, engine: Option<EngineName>) -> Result<Recognition, Error> {
    let paths = sql_files(root);
    let mut all = sqitch::candidates(root, &paths);
    all.extend(candidates(paths.iter().map(String::as_str)));
    if all.is_empty() {
        all = unnumbered(paths.iter().map(String::as_str));
    }
    if all.is_empty() {
        all = numbered_behind(&paths);
    }
    let mut all = all.into_iter();
    let mut passed_over = Vec::new();
    let found = all.by_ref().find_map(|candidate| match recognise_in(root, name, engine, candidate, &paths) {
        Ok(recognised) => Some(recognised),
        Err(note) => {
            passed_over.push(note);
            None
        }
    });
    let Some(mut recognised) = found else {
        passed_over.extend(unreadable(&paths));
        return Ok(Recognition::Nothing(passed_over));
    };
    recognised.notes.extend(passed_over);
    let mut has_others = false;
    for other in all.take(5) {
        let folders: Vec<&str> = other.folders.iter().map(|(folder, _)| folder.as_str()).collect();
        let scripts = if other.scripts == 1 { "a versioned script" } else { "versioned scripts" };
        recognised.notes.push(format!("{} has {scripts} too; left alone", folders.join(", ")));
        has_others = true;
    }
    if has_others {
        recognised.notes.push("`dbbuild --project FOLDER init` makes a project of another folder".to_owned());
    }
    survey::survey(root, &mut recognised)?;
    Ok(Recognition::Scripts(Box::new(recognised)))
}

/// Says that there are `.sql` files, and what to write if they are scripts.
fn unreadable(paths: &[String]) -> Option<String> {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for path in paths {
        *folders.entry(path.rsplit_once('/').map_or(".", |(folder, _)| folder)).or_default() += 1;
    }
    let (fullest, _) = folders.iter().max_by_key(|(_, count)| **count)?;
    let count = if paths.len() == 1 { "1 .sql file is".to_owned() } else { format!("{} .sql files are", paths.len()) };
    Some(format!(
        "{count} here, most in {fullest}, and their names have no versions in a way that any layout knows; if they are \
         scripts, begin their names with versions, or say under [layout] in dbbuild.toml where and how: \
         `scripts = {fullest:?}`, `style = \"…\"`"
    ))
}

/// Lists the `.sql` files of a repository, sorted.
fn sql_files(root: &Path) -> Vec<String> {
    let is_own = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0
            || !(entry.file_type().is_dir() && (name.starts_with('.') || FOREIGN.contains(&name.as_ref())))
    };
    let entries = WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(is_own).filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_file()).filter_map(|entry| {
        let path = entry.path().strip_prefix(root).ok()?;
        let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        Some(parts.join("/"))
    });
    files.filter(|path| path.to_ascii_lowercase().ends_with(".sql")).collect()
}

/// Reads a candidate's texts; the error is a note on why it is none.
fn recognise_in(
    root: &Path,
    name: &str,
    wanted: Option<EngineName>,
    candidate: Candidate,
    paths: &[String],
) -> Result<Recognised, String> {
    let mut reading = Reading::new(root, paths, candidate.layout, wanted);
    for (folder, engine) in candidate.folders {
        reading.folder(folder, engine, candidate.numbers)?;
    }
    let (folders, engines) = reading.folders();
    let Reading { layout, versions, unlisted, mut notes, .. } = reading;
    notes.extend(match candidate.numbers {
        Numbers::OfLayout => None,
        Numbers::OfFolders => Some(
            "the folders are versions and the files in them have none: [layout.versions] gives those of one folder \
             versions in the order of their names; see that it is the order in which they run. A new script may have its \
             own number: `v1.6/01_name.sql`"
                .into(),
        ),
        Numbers::InPlan => Some(
            "[layout.versions] gives the scripts of `deploy` their places in sqitch.plan; dbbuild does not read `revert` \
             and `verify`. A new script begins with its number: `N_name.sql`"
                .into(),
        ),
        Numbers::Behind => Some(
            "the numbers stand behind a word: [layout.versions] makes them the versions. A new script begins with its \
             number: `N_name.sql`"
                .into(),
        ),
    });
    let variable = variable::variable(root).map(|(name, file)| {
        notes.push(format!("{name} is named in {file}: the target takes its URL from there"));
        name
    });
    let seed = paths.iter().any(|path| path.starts_with("seed/")).then(|| "dbbuild-seed".to_owned());
    Ok(Recognised {
        name: name.to_owned(),
        layout,
        folders,
        engines,
        scripts: BTreeMap::new(),
        newest: None,
        directives: BTreeMap::new(),
        ignore: unlisted.iter().map(|file| globset::escape(file)).collect(),
        dates: false,
        templates: false,
        versions,
        seed,
        variable,
        notes,
    })
}

impl Recognised {
    /// Gives a script a directive.
    pub fn direct(&mut self, version: &Version, directive: &str) {
        let directives = self.directives.entry(version.clone()).or_default();
        if !directives.iter().any(|known| known == directive) {
            directives.push(directive.to_owned());
        }
    }

    /// Returns the layout as settings.
    pub fn layout_settings(&self) -> LayoutSettings {
        let (scripts, engine_scripts) = match &self.folders {
            Folders::One(folder) => (Some(if folder.is_empty() { "." } else { folder }.to_owned()), BTreeMap::new()),
            Folders::PerEngine(folders) => (None, folders.clone()),
        };
        LayoutSettings {
            style: Some(self.layout),
            scripts,
            engine_scripts,
            seed: self.seed.clone(),
            ignore: self.ignore.clone(),
            dates: self.dates,
            templates: self.templates.then_some(true),
            versions: self.versions.clone(),
            ..LayoutSettings::default()
        }
    }
}
