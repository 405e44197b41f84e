//! What is in a repository already.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use super::candidates::{Candidate, FolderEngine, candidates, is_pop, unnumbered};
use super::look::Look;
use super::{survey, variable};
use crate::error::Error;
use crate::project::layout::{Parts, TERN_BETWEEN, flyway_version, folder_version};
use crate::project::settings::LayoutSettings;
use crate::project::{EngineName, Layout, PathRole};
use crate::script::{Version, engine_suffix, letter, strip_sql};
use crate::sql::Dialect;

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
    let mut all = candidates(paths.iter().map(String::as_str));
    if all.is_empty() {
        all = unnumbered(paths.iter().map(String::as_str));
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

/// Gives files their folders' versions: several in one folder follow each other in the order of their names.
fn versions_of_folders(folder: &str, paths: &[String]) -> BTreeMap<String, String> {
    let mut inside: BTreeMap<Version, Vec<&String>> = BTreeMap::new();
    for path in paths {
        if let Some(version) = below(path, folder).and_then(|rest| folder_version(rest.split_once('/')?.0)) {
            inside.entry(version).or_default().push(path);
        }
    }
    let mut versions = BTreeMap::new();
    for (version, files) in inside {
        let several = files.len() > 1;
        for (number, file) in (1u64..).zip(files) {
            let version = if several { version.join(&number.into()) } else { version.clone() };
            versions.insert(file.clone(), version.to_string());
        }
    }
    versions
}

/// Returns what of a path is below a folder.
fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
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
    let mut notes = Vec::new();
    let mut folders: BTreeMap<EngineName, String> = BTreeMap::new();
    let mut versions = BTreeMap::new();
    let (mut layout, mut mixed) = (candidate.layout, BTreeSet::new());
    let mut common = None;
    for (folder, engine) in candidate.folders {
        if layout == Layout::Plain && is_pop(&folder, paths) {
            layout = Layout::Pop;
        }
        if candidate.unnumbered && engine != FolderEngine::Other {
            versions.extend(versions_of_folders(&folder, paths));
        }
        let texts = texts(root, layout, (&folder, &versions), paths);
        layout = with_sections(layout, texts.iter().map(|(_, text)| text.as_str()));
        if layout == Layout::Flyway && engine != FolderEngine::Other {
            versions.extend(beginning(&folder, paths, &mut notes));
        }
        notes.extend(programs(root, &folder));
        match engine {
            FolderEngine::Other => {
                notes.push(format!("{folder} is for an engine that dbbuild does not know; left alone"))
            }
            FolderEngine::Known(engine) => {
                folders.insert(engine.into(), folder);
            }
            FolderEngine::Silent => {
                let mut look = Look::default();
                look.add(&folder);
                texts.iter().for_each(|(_, text)| look.add(text));
                if look.is_mysql() && wanted.is_none() {
                    return Err(format!(
                        "{folder} looks like MySQL, which dbbuild does not know; left alone. If it is not, say so: \
                         `dbbuild init --engine …`"
                    ));
                }
                mixed.extend(texts.iter().filter_map(|(path, _)| suffix(layout, path)));
                mixed.extend(wanted.filter(|_| mixed.is_empty()).map(Dialect::from));
                if mixed.is_empty() {
                    mixed.insert(look.engine().unwrap_or_else(|| {
                        notes.push(
                            "nothing in the scripts tells the engine: SQLite is assumed; see `engines` in dbbuild.toml"
                                .into(),
                        );
                        Dialect::Sqlite
                    }));
                }
                common = Some(folder);
            }
        }
    }
    let (folders, engines) = match common {
        Some(folder) => (Folders::One(folder), mixed.into_iter().map(EngineName::from).collect()),
        None => match (folders.len(), folders.pop_first()) {
            (1, Some((engine, folder))) => (Folders::One(folder), vec![engine]),
            (_, first) => {
                folders.extend(first);
                let engines = folders.keys().copied().collect();
                (Folders::PerEngine(folders), engines)
            }
        },
    };
    if candidate.unnumbered {
        notes.push(
            "the folders are versions and the files in them have none: [layout.versions] gives those of one folder \
             versions in the order of their names; see that it is the order in which they run. A new script may have its \
             own number: `v1.6/01_name.sql`"
                .into(),
        );
    }
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
        ignore: Vec::new(),
        dates: false,
        templates: false,
        versions,
        seed,
        variable,
        notes,
    })
}

/// Returns the version of the file that a Flyway history begins with: the newest state that a new database may start
/// from, if every script comes after it.
fn beginning(folder: &str, paths: &[String], notes: &mut Vec<String>) -> Option<(String, String)> {
    let of = |letter: char| {
        let inside = paths.iter().filter(move |path| below(path, folder).is_some());
        inside.filter_map(move |path| {
            let file = path.rsplit('/').next().unwrap_or(path);
            Some((flyway_version(strip_sql(file), letter)?, path))
        })
    };
    let first = of('V').map(|(version, _)| version).min();
    let (version, path) = of('B').max()?;
    if first.is_some_and(|first| first <= version) {
        return None;
    }
    notes.push(format!("the history begins with {path}: [layout.versions] makes it the first script"));
    Some((path.clone(), version.to_string()))
}

/// Tells of migrations that are programs: nobody but their own tool runs them.
fn programs(root: &Path, folder: &str) -> Option<String> {
    const LANGUAGES: [&str; 11] = ["cs", "ex", "exs", "go", "java", "js", "kt", "mjs", "py", "rb", "ts"];
    let is_one = |name: &String| {
        let (stem, language) = name.rsplit_once('.').unwrap_or((name, ""));
        LANGUAGES.contains(&language) && !stem.ends_with("_test") && Version::split(&stem[letter(stem)..]).is_ok()
    };
    let entries = std::fs::read_dir(root.join(folder)).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(is_one);
    names.sort();
    let first = names.first()?;
    let what = match names.len() {
        1 => format!("{folder}/{first} is a program"),
        several => format!("{several} migrations in {folder} are programs, {first} the first"),
    };
    Some(format!("{what}, which dbbuild does not run: write as a script of that version what it does to the database"))
}

/// Returns the engine of a file's own suffix.
fn suffix(layout: Layout, path: &str) -> Option<Dialect> {
    if layout == Layout::Pop {
        let file = path.rsplit('/').next().unwrap_or(path);
        return match layout.role(file) {
            PathRole::Script(name) => name.engine,
            PathRole::Code(_) | PathRole::Skip | PathRole::Fault(_) => None,
        };
    }
    let stem = strip_sql(path);
    let stem = stem.strip_suffix(".down").or_else(|| stem.strip_suffix(".up")).unwrap_or(stem);
    engine_suffix(stem).ok().and_then(|(_, engine)| engine)
}

/// Reads the scripts below a folder; `versions` has those whose names say none.
fn texts(
    root: &Path,
    layout: Layout,
    (folder, versions): (&str, &BTreeMap<String, String>),
    paths: &[String],
) -> Vec<(String, String)> {
    let inside = paths.iter().filter_map(|path| {
        let rest = below(path, folder)?;
        let is_script = versions.contains_key(path) || Parts::of(layout, rest).is_some_and(|parts| parts.is_up());
        is_script.then_some(path)
    });
    let read = |path: &String| {
        Some((path.clone(), String::from_utf8_lossy(&std::fs::read(root.join(path)).ok()?).into_owned()))
    };
    inside.filter_map(read).collect()
}

/// Tells the layouts with sections, whose names are plain, by their markers.
fn with_sections<'a>(layout: Layout, texts: impl Iterator<Item = &'a str>) -> Layout {
    if layout != Layout::Plain {
        return layout;
    }
    let has = |line: &str, tool: &str, word: &str| {
        let words: Vec<String> = line.split_whitespace().map(str::to_lowercase).collect();
        matches!(words.as_slice(), [dashes, first, second, ..] if dashes == "--" && first == tool && second == word)
    };
    for text in texts {
        for line in text.lines().filter(|line| line.trim_start().starts_with("--")) {
            if has(line, "+goose", "up") {
                return Layout::Goose;
            }
            if has(line, "+migrate", "up") {
                return Layout::SqlMigrate;
            }
            if line.strip_prefix("--").unwrap_or_default().split_whitespace().next() == Some("migrate:up") {
                return Layout::Dbmate;
            }
            if line.contains(TERN_BETWEEN) {
                return Layout::Tern;
            }
        }
    }
    layout
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
