//! The first stage: what is in the checkout. Files become scripts in the order of their versions, code objects
//! and seeds, each with its checksum and without its text, or everything that is wrong with them.

use std::collections::BTreeMap;
use std::io::Read;

use serde::Deserialize;

use super::load::{Reading, checksum, load};
use super::parallel::{collect, in_parallel};
use crate::engine::SeedMode;
use crate::error::Error;
use crate::project::layout::{engine_folder, is_named_folder};
use crate::project::{Base, Found, FoundKind, Layout, PathRole, Project, is_way_down};
use crate::script::{
    Checksum, Fault, FileName, FileNameError, Role, Script, ScriptErrors, Source, Squashed, Version, engine_suffix,
    strip_sql,
};
use crate::sql::Dialect;

/// What a checkout holds for one engine.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// The engine's grammar.
    pub dialect: Dialect,
    /// The scripts, in the order of their versions.
    pub scripts: Vec<Script>,
    /// Versions that have a script of another engine: they can be built to here too.
    pub elsewhere: Vec<Version>,
    /// What stands for scripts that were squashed, if there is one.
    pub base: Option<Base>,
    /// The files of the code objects, sorted by path.
    pub code: Vec<Source>,
    /// The seeds of every environment, in order.
    pub seeds: Vec<Seed>,
    /// The test data, in order.
    pub test_data: Vec<Seed>,
}

impl Checkout {
    /// Returns the scripts that a base stands for.
    pub fn squashed(&self) -> &[Squashed] {
        self.base.as_ref().map_or(&[], |base| base.scripts.as_slice())
    }

    /// Returns true for a script that the base stands for, word by word.
    pub fn is_squashed(&self, script: &Script) -> bool {
        let squashed = self.base.as_ref().and_then(|base| base.of(&script.version));
        squashed.is_some_and(|squashed| squashed.checksum == script.checksum)
    }

    /// Returns the same scripts and nothing else that runs.
    #[must_use]
    pub fn scripts_alone(self) -> Self {
        Self { code: Vec::new(), seeds: Vec::new(), test_data: Vec::new(), ..self }
    }

    /// Returns the newest version that a build comes to.
    pub fn newest(&self) -> Option<&Version> {
        let base = self.base.as_ref().map(|base| &base.version);
        self.scripts.last().map(|script| &script.version).max(base)
    }
}

/// A seed's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The file and its checksum (the sidecar's text included).
    pub source: Source,
    /// The environment it is for; `None` for each.
    pub environment: Option<String>,
    /// How it is brought in.
    pub form: SeedForm,
}

/// How a seed is brought in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeedForm {
    /// As a script.
    Sql,
    /// As rows of a table.
    Rows {
        /// The table, as written.
        table: String,
        /// The columns that identify a row; empty for the table's primary key.
        key: Vec<String>,
        /// How rows that are there already are treated.
        mode: SeedMode,
        /// The text that means NULL.
        null: Option<String>,
    },
}

/// The sidecar of a CSV seed: `010_country.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sidecar {
    table: Option<String>,
    key: Option<OneOrMore>,
    mode: SeedMode,
    null: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// Reads the checkout for one engine.
pub fn discover(project: &Project, dialect: Dialect) -> Result<Checkout, Error> {
    read(project, dialect, None)
}

/// Reads it with both of two scripts of one version, which a build refuses; these faults are returned beside it.
pub fn discover_with_twins(project: &Project, dialect: Dialect) -> Result<(Checkout, Vec<Fault>), Error> {
    let mut twins = Vec::new();
    let checkout = read(project, dialect, Some(&mut twins))?;
    Ok((checkout, twins))
}

fn read(project: &Project, dialect: Dialect, twins: Option<&mut Vec<Fault>>) -> Result<Checkout, Error> {
    let mut faults = Vec::new();
    let ignore = Ignore::new(project)?;
    let mut elsewhere = Vec::new();
    let (named, mut code_files) = scripts(project, dialect, &ignore, &mut faults, twins, &mut elsewhere);
    code_files.extend(code(project, dialect, &ignore, &mut faults));
    code_files.sort();
    code_files.dedup();
    let (seed_files, test_files) = seeds(project, dialect, &ignore, &mut faults);
    if !faults.is_empty() {
        return Err(ScriptErrors(faults).into());
    }
    let reading = Reading { dialect, layout: Some(project.layout()), variables: None };
    let checksums = in_parallel(&named, |named, buffer| checksum(project, &named.file, reading, buffer));
    let scripts = named.into_iter().zip(collect(checksums)?).map(|(named, checksum)| Script {
        version: named.name.version,
        name: named.name.name,
        file: named.file,
        checksum,
        down: named.down,
    });
    let scripts = scripts.collect();
    let reading = Reading { dialect, layout: None, variables: None };
    let checksums = in_parallel(&code_files, |file, buffer| checksum(project, file, reading, buffer));
    let code = code_files.into_iter().zip(collect(checksums)?);
    let code = code.map(|(file, checksum)| Source { file, checksum }).collect();
    let seeds = seed_sources(project, dialect, seed_files)?;
    let test_data = seed_sources(project, dialect, test_files)?;
    let base = Base::read(project, dialect)?;
    Ok(Checkout { dialect, scripts, elsewhere, base, code, seeds, test_data })
}

struct Named {
    file: String,
    name: FileName,
    down: Option<String>,
}

/// Files to leave alone.
struct Ignore(globset::GlobSet);

impl Ignore {
    fn new(project: &Project) -> Result<Self, Error> {
        let mut globs = globset::GlobSetBuilder::new();
        for glob in &project.settings.layout.ignore {
            let wrong = |error: globset::Error| {
                crate::project::SettingsError::new("settings/ignore", format!("layout.ignore: {error}"))
            };
            globs.add(globset::Glob::new(glob).map_err(wrong)?);
        }
        let set = globs.build();
        Ok(Self(set.map_err(|error| crate::project::SettingsError::new("settings/ignore", error.to_string()))?))
    }

    fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

/// Keeps the files with an extension that may be read, and tells of those that may not.
fn usable(found: Vec<Found>, extensions: &[&str], ignore: &Ignore, faults: &mut Vec<Fault>) -> Vec<String> {
    let mut files = Vec::new();
    for Found { path, kind } in found {
        let name = path.rsplit('/').next().unwrap_or(&path);
        // What editors and file systems leave beside a file (`.#1_a.sql`, `._1_a.sql`) is hidden, and no script.
        if name.starts_with('.') {
            continue;
        }
        let extension = name.rsplit_once('.').map_or("", |(_, end)| end);
        let is_one = extensions.iter().any(|known| extension.eq_ignore_ascii_case(known));
        // What a folder holds that may not be looked at is not known: it is not nothing.
        if !(is_one || matches!(kind, FoundKind::Unreadable(_))) || ignore.matches(&path) {
            continue;
        }
        let fault = |code, message: &str, hint: &str| Fault::new(code, &path, message).hint(hint);
        match kind {
            FoundKind::File => files.push(path),
            FoundKind::Folder => {
                faults.push(fault(
                    "script/folder",
                    "a folder has the name of a file",
                    "rename the folder, or add it to `ignore` under `[layout]`",
                ));
            }
            FoundKind::Outside => {
                faults.push(fault(
                    "script/outside",
                    "a symbolic link that leads out of the project, or nowhere",
                    "put the file itself here",
                ));
            }
            FoundKind::Special => {
                faults.push(fault("script/special", "neither a file nor a folder", "take it out"));
            }
            FoundKind::Unreadable(why) => faults.push(fault("script/unreadable", &why, "make it readable")),
        }
    }
    files
}

fn scripts(
    project: &Project,
    dialect: Dialect,
    ignore: &Ignore,
    faults: &mut Vec<Fault>,
    mut twins: Option<&mut Vec<Fault>>,
    elsewhere: &mut Vec<Version>,
) -> (Vec<Named>, Vec<String>) {
    let folder = project.scripts_folder(dialect);
    let prefers_own = project.layout().prefers_own();
    let mut ups: BTreeMap<Version, Vec<Named>> = BTreeMap::new();
    let mut downs: BTreeMap<Version, Named> = BTreeMap::new();
    let mut code = Vec::new();
    let mut found = project.files.walk(folder);
    // A folder that is a change may be called `20240418_x.sql`.
    found.retain(|found| found.kind != FoundKind::Folder || project.layout() != Layout::FolderPerChange);
    for file in usable(found, &["sql"], ignore, faults) {
        let inside = file.strip_prefix(folder).unwrap_or(&file).trim_start_matches('/');
        if is_named_folder(inside) {
            continue;
        }
        let (inside, of_folder) = engine_folder(inside);
        match project.role(&file, inside) {
            PathRole::Skip => {}
            PathRole::Code(engine) => {
                if engine.or(of_folder).is_none_or(|engine| engine == dialect) {
                    code.push(file);
                }
            }
            PathRole::Fault(error) => faults.push(name_fault(&file, &error)),
            PathRole::Script(mut name) => {
                name.engine = name.engine.or(of_folder);
                if name.engine.is_some_and(|engine| engine != dialect) {
                    elsewhere.push(name.version);
                    continue;
                }
                let named = Named { file, name, down: None };
                match named.name.role {
                    Role::Up => ups.entry(named.name.version.clone()).or_default().push(named),
                    Role::Down => add_down(&mut downs, named, prefers_own),
                }
            }
        }
    }
    let mut named = Vec::with_capacity(ups.len());
    for (version, mut files) in ups {
        if prefers_own && files.iter().any(|named| named.name.engine.is_some()) {
            files.retain(|named| named.name.engine.is_some());
        }
        let names: Vec<String> = files.iter().map(|named| named.name.name.clone()).collect();
        let is_down = |named: &Named| is_way_down(&named.name.name, names.iter().map(String::as_str));
        let (ways_down, mut files): (Vec<Named>, Vec<Named>) = files.into_iter().partition(is_down);
        ways_down.into_iter().for_each(|named| add_down(&mut downs, named, prefers_own));
        if files.len() > 1 {
            let fault = two_of_one_version(&version, &files);
            match &mut twins {
                Some(twins) => {
                    twins.push(fault);
                    named.extend(files);
                }
                None => faults.push(fault),
            }
            continue;
        }
        if let Some(mut only) = files.pop() {
            only.down = downs.remove(&version).map(|named| named.file);
            named.push(only);
        }
    }
    (named, code)
}

/// Keeps a way down; an engine's own goes first where the layout has it so.
fn add_down(downs: &mut BTreeMap<Version, Named>, named: Named, prefers_own: bool) {
    let version = named.name.version.clone();
    if !prefers_own || named.name.engine.is_some() || !downs.contains_key(&version) {
        downs.insert(version, named);
    }
}

fn name_fault(file: &str, error: &FileNameError) -> Fault {
    let hint = match error {
        FileNameError::Engine { meant: Some(meant), .. } => format!("the suffix is `.{meant}`"),
        FileNameError::Engine { meant: None, .. } => "the engines are `.postgres` and `.sqlite`; for another one add the file to `ignore` under `[layout]`".into(),
        FileNameError::Version(_) => "begin its name with a version (`dbbuild new-version` makes one), or add it to `ignore` under `[layout]` in dbbuild.toml".into(),
    };
    Fault::new("script/name", file, error.to_string()).hint(hint)
}

fn two_of_one_version(version: &Version, files: &[Named]) -> Fault {
    let names: Vec<&str> = files.iter().map(|named| named.file.as_str()).collect();
    let last = names.last().copied().unwrap_or_default();
    let suffixed = files.iter().any(|named| named.name.engine.is_some());
    let unsuffixed = files.iter().any(|named| named.name.engine.is_none());
    if suffixed && unsuffixed {
        let message = format!("version {version} has a file for this engine and one for each: {}", names.join(", "));
        return Fault::new("script/two-of-one-version", last, message)
            .hint("give the other file its engine's suffix, or take one of them out");
    }
    Fault::new("script/two-of-one-version", last, format!("two scripts of version {version}: {}", names.join(", ")))
        .hint(format!(
            "`dbbuild renumber` gives the unmerged one the next version; where both have run already, give the later \
             one its own in dbbuild.toml: under `[layout.versions]`, `{last:?} = \"{version}.1\"`"
        ))
}

fn code(project: &Project, dialect: Dialect, ignore: &Ignore, faults: &mut Vec<Fault>) -> Vec<String> {
    let found = usable(project.files.walk(&project.code_folder()), &["sql"], ignore, faults);
    found.into_iter().filter(|file| serves(file, dialect, faults)).collect()
}

/// Returns true if a file's engine suffix, or an engine's folder on its path, does not say otherwise.
fn serves(file: &str, dialect: Dialect, faults: &mut Vec<Fault>) -> bool {
    let mut parts: Vec<&str> = file.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let of_folder = parts.iter().find_map(|part| match *part {
        "postgres" => Some(Dialect::Postgres),
        "sqlite" => Some(Dialect::Sqlite),
        _ => None,
    });
    match engine_suffix(stem) {
        Ok((_, suffix)) => suffix.or(of_folder).is_none_or(|engine| engine == dialect),
        Err(error) => {
            faults.push(name_fault(file, &error));
            false
        }
    }
}

struct SeedFile {
    file: String,
    environment: Option<String>,
    order: (u8, Option<Version>, String),
}

fn seeds(
    project: &Project,
    dialect: Dialect,
    ignore: &Ignore,
    faults: &mut Vec<Fault>,
) -> (Vec<SeedFile>, Vec<SeedFile>) {
    let folder = project.seed_folder();
    let (mut seeds, mut test_data) = (Vec::new(), Vec::new());
    for file in usable(project.files.walk(folder), &["sql", "csv"], ignore, faults) {
        if !serves(&file, dialect, faults) {
            continue;
        }
        let inside = file.strip_prefix(folder).unwrap_or(&file).trim_start_matches('/').to_owned();
        let first = inside.split_once('/').map(|(first, _)| first);
        let environment = first.and_then(|first| first.strip_prefix('@')).map(str::to_owned);
        let name = inside.rsplit('/').next().unwrap_or(&inside).to_owned();
        let version = Version::split(&name).ok().map(|(version, _)| version);
        let is_test = first == Some("test");
        let order = (u8::from(environment.is_some()), version, inside.clone());
        let seed = SeedFile { file, environment, order };
        if is_test { test_data.push(seed) } else { seeds.push(seed) }
    }
    seeds.sort_by(|a, b| a.order.cmp(&b.order));
    test_data.sort_by(|a, b| a.order.cmp(&b.order));
    (seeds, test_data)
}

fn seed_sources(project: &Project, dialect: Dialect, files: Vec<SeedFile>) -> Result<Vec<Seed>, ScriptErrors> {
    let reading = Reading { dialect, layout: None, variables: None };
    let read = |seed: SeedFile| -> Result<Seed, ScriptErrors> {
        let (checksum, form) = if seed.file.to_ascii_lowercase().ends_with(".csv") {
            rows(project, &seed.file)?
        } else {
            // An environment's variables are known only at the target, so its seeds count as they are written.
            let text = match seed.environment {
                Some(_) => {
                    Checksum::of_bytes(&project.files.read(&seed.file).map_err(|error| unreadable(&seed.file, &error))?)
                }
                None => load(project, &seed.file, reading)?.text.checksum(),
            };
            (text, SeedForm::Sql)
        };
        Ok(Seed { source: Source { file: seed.file, checksum }, environment: seed.environment, form })
    };
    files.into_iter().map(read).collect()
}

fn unreadable(file: &str, error: &std::io::Error) -> Fault {
    Fault::new("seed/unreadable", file, format!("cannot be read: {error}")).hint("make it readable")
}

/// Returns the checksum of a CSV seed as it is now.
pub fn rows_checksum(project: &Project, file: &str) -> Result<Checksum, ScriptErrors> {
    rows(project, file).map(|(checksum, _)| checksum)
}

fn rows(project: &Project, file: &str) -> Result<(Checksum, SeedForm), ScriptErrors> {
    let stem = file.get(..file.len() - 4).unwrap_or(file);
    let sidecar_file = format!("{stem}.toml");
    let mut hasher = LfHasher::default();
    let mut content = project.files.open(file).map_err(|error| unreadable(file, &error))?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = content.read(&mut buffer).map_err(|error| unreadable(file, &error))?;
        if length == 0 {
            break;
        }
        hasher.update(&buffer[..length]);
    }
    let mut sidecar = Sidecar::default();
    if project.files.has(&sidecar_file) {
        let bytes = project.files.read(&sidecar_file).map_err(|error| unreadable(&sidecar_file, &error))?;
        let text = crate::script::normalise(&sidecar_file, bytes)?;
        sidecar = toml::from_str(&text).map_err(|error| sidecar_fault(&sidecar_file, &text, &error))?;
        hasher.update(text.as_bytes());
    }
    let name = stem.rsplit('/').next().unwrap_or(stem);
    let name = engine_suffix(name).map_or(name, |(name, _)| name);
    let behind = Version::split(name).map_or(name, |(_, rest)| rest.trim_start_matches(['_', '-', ' ']));
    let key = match sidecar.key {
        None => Vec::new(),
        Some(OneOrMore::One(column)) => vec![column],
        Some(OneOrMore::More(columns)) => columns,
    };
    let table = sidecar.table.unwrap_or_else(|| strip_sql(behind).to_owned());
    Ok((hasher.finish(), SeedForm::Rows { table, key, mode: sidecar.mode, null: sidecar.null }))
}

fn sidecar_fault(file: &str, text: &str, error: &toml::de::Error) -> Fault {
    let span = error.span().map_or(crate::sql::Span::new(0, 0), |range| crate::sql::Span::new(range.start, range.end));
    Fault::new("seed/sidecar", file, error.message().to_owned())
        .at(crate::error::Place::new(file, text, span))
        .hint("a sidecar holds `table`, `key`, `mode` (tracked, upsert, insert, sync) and `null`")
}

/// Hashes bytes with CRLF as LF, so that a checkout with other line ends has the same checksum.
#[derive(Default)]
struct LfHasher {
    hasher: blake3::Hasher,
    pending_cr: bool,
}

impl LfHasher {
    fn update(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        if self.pending_cr {
            self.pending_cr = false;
            if rest.first() != Some(&b'\n') {
                self.hasher.update(b"\r");
            }
        }
        while let Some(at) = rest.iter().position(|byte| *byte == b'\r') {
            self.hasher.update(&rest[..at]);
            match rest.get(at + 1) {
                Some(b'\n') => {}
                Some(_) => {
                    self.hasher.update(b"\r");
                }
                None => self.pending_cr = true,
            }
            rest = &rest[at + 1..];
        }
        self.hasher.update(rest);
    }

    fn finish(mut self) -> Checksum {
        if self.pending_cr {
            self.hasher.update(b"\r");
        }
        Checksum::of_hasher(&self.hasher)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_looked_into_is_not_an_empty_one() {
        let ignore = Ignore(globset::GlobSet::empty());
        let found = vec![Found { path: "db".into(), kind: FoundKind::Unreadable("no permission".into()) }];
        let mut faults = Vec::new();
        assert!(usable(found, &["sql"], &ignore, &mut faults).is_empty());
        assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["script/unreadable"]);
    }
}
