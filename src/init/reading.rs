//! Reads the texts of a candidate's folders: how its scripts are named, which versions they have, and for which
//! engines they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::candidates::{FolderEngine, Numbers, engine_of, is_pop, versions_behind};
use super::look::Look;
use super::recognise::Folders;
use super::{drizzle, sqitch};
use crate::project::layout::{Parts, TERN_BETWEEN, flyway_version, folder_version};
use crate::project::{EngineName, Layout, PathRole};
use crate::script::{Version, engine_suffix, letter, strip_sql};
use crate::sql::Dialect;

/// What the folders of a candidate have shown so far.
pub(super) struct Reading<'a> {
    root: &'a Path,
    /// All `.sql` files of the repository, relative to its root.
    paths: &'a [String],
    /// The engine that the user named.
    wanted: Option<EngineName>,
    /// How the scripts are named.
    pub(super) layout: Layout,
    /// Versions of files whose names say none, or another one.
    pub(super) versions: BTreeMap<String, String>,
    /// Files that no runner runs.
    pub(super) unlisted: Vec<String>,
    /// What the user should know.
    pub(super) notes: Vec<String>,
    /// The folders whose paths say their engine.
    own: BTreeMap<EngineName, String>,
    /// The folder whose path says none, with the engines of its scripts.
    common: Option<(String, BTreeSet<Dialect>)>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(root: &'a Path, paths: &'a [String], layout: Layout, wanted: Option<EngineName>) -> Self {
        let (versions, unlisted, notes, own) = (BTreeMap::new(), Vec::new(), Vec::new(), BTreeMap::new());
        Self { root, paths, wanted, layout, versions, unlisted, notes, own, common: None }
    }

    /// Reads a folder; the error is a note on why the candidate is none.
    pub(super) fn folder(&mut self, folder: String, engine: FolderEngine, numbers: Numbers) -> Result<(), String> {
        if self.layout == Layout::Plain && is_pop(&folder, self.paths) {
            self.layout = Layout::Pop;
        }
        if engine != FolderEngine::Other {
            self.versions.extend(match numbers {
                Numbers::OfLayout => BTreeMap::new(),
                Numbers::OfFolders => versions_of_folders(&folder, self.paths),
                Numbers::Behind => versions_behind(&folder, self.paths),
                Numbers::InPlan => sqitch::versions(self.root, &folder, self.paths),
            });
        }
        let texts = self.texts(&folder);
        self.layout = with_sections(self.layout, texts.iter().map(|(_, text)| text.as_str()));
        if self.layout == Layout::Flyway && engine != FolderEngine::Other {
            self.versions.extend(beginning(&folder, self.paths, &mut self.notes));
        }
        if self.layout == Layout::Plain && engine != FolderEngine::Other {
            self.drizzle(&folder);
        }
        self.notes.extend(programs(self.root, &folder));
        match engine {
            FolderEngine::Other => {
                self.notes.push(format!("{folder} is for an engine that dbbuild does not know; left alone"));
            }
            FolderEngine::Known(engine) => {
                self.own.insert(engine.into(), folder);
            }
            FolderEngine::Silent => {
                let engines = self.engines(&folder, &texts)?;
                self.common = Some((folder, engines));
            }
        }
        Ok(())
    }

    /// Takes over what drizzle's own list says of a folder.
    fn drizzle(&mut self, folder: &str) {
        let is_inside = |path: &&String| below(path, folder).is_some_and(|rest| !rest.contains('/'));
        let scripts: Vec<&str> = self.paths.iter().filter(is_inside).map(String::as_str).collect();
        let Some(journal) = drizzle::journal(self.root, folder, &scripts) else { return };
        let list = format!("{folder}/meta/_journal.json");
        if !journal.unlisted.is_empty() {
            self.notes.push(format!("not in {list}, so ignored: {}", journal.unlisted.join(", ")));
        }
        if !journal.versions.is_empty() {
            self.notes.push(format!("[layout.versions] gives scripts the order of {list} where their numbers do not"));
        }
        self.unlisted.extend(journal.unlisted);
        self.versions.extend(journal.versions);
    }

    /// Returns the folders of the scripts and the engines that these are for.
    pub(super) fn folders(&mut self) -> (Folders, Vec<EngineName>) {
        if let Some((folder, engines)) = self.common.take() {
            return (Folders::One(folder), engines.into_iter().map(EngineName::from).collect());
        }
        let own = std::mem::take(&mut self.own);
        let engines = own.keys().copied().collect();
        let folders = match own.len() {
            1 => Folders::One(own.into_values().collect()),
            _ => Folders::PerEngine(own),
        };
        (folders, engines)
    }

    /// Returns the engines of the scripts in a folder whose path names none.
    fn engines(&mut self, folder: &str, texts: &[(String, String)]) -> Result<BTreeSet<Dialect>, String> {
        let mut look = Look::default();
        // Of a folder's name only an engine's says anything: many are called `schema`.
        let parts = folder.split(|c: char| !c.is_alphanumeric());
        parts.filter(|part| engine_of(part) != FolderEngine::Silent).for_each(|part| look.add(part));
        texts.iter().for_each(|(_, text)| look.add(text));
        if look.is_mysql() && self.wanted.is_none() {
            return Err(format!(
                "{folder} looks like MySQL, which dbbuild does not know; left alone. If it is not, say so: \
                 `dbbuild init --engine …`"
            ));
        }
        let mut engines: BTreeSet<Dialect> = texts.iter().filter_map(|(path, _)| suffix(self.layout, path)).collect();
        if engines.is_empty() {
            let known = self.wanted.map(Dialect::from).or_else(|| look.engine());
            engines.insert(known.unwrap_or_else(|| {
                let note = "nothing in the scripts tells the engine: SQLite is assumed; see `engines` in dbbuild.toml";
                self.notes.push(note.into());
                Dialect::Sqlite
            }));
        }
        Ok(engines)
    }

    /// Reads the scripts below a folder.
    fn texts(&self, folder: &str) -> Vec<(String, String)> {
        let inside = self.paths.iter().filter(|path| {
            let is_named = |rest| Parts::of(self.layout, rest).is_some_and(|parts| parts.is_up());
            below(path, folder).is_some_and(|rest| self.versions.contains_key(*path) || is_named(rest))
        });
        let read = |path: &String| {
            Some((path.clone(), String::from_utf8_lossy(&std::fs::read(self.root.join(path)).ok()?).into_owned()))
        };
        inside.filter_map(read).collect()
    }
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
