//! The last stage: the full dump of a fresh build, committed beside the scripts. It is made in a scratch
//! database from the scripts alone, so nobody's working data can leak into it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::apply::milliseconds;
use super::fresh::Fresh;
use super::{Checkout, Site};
use crate::engine::{DumpInfo, EngineError};
use crate::error::Error;
use crate::event::{Event, Observer, StepKind, StepResult};
use crate::project::{FoundKind, Project};
use crate::script::Checksum;
use crate::sql::Dialect;

/// The file that says what a baseline was made from and consists of.
const MANIFEST: &str = "manifest.toml";
/// The format of baselines that this program writes.
const FORMAT: u32 = 1;

/// What the committed baseline is worth to a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// There is none, or it was made from other scripts, code or seeds.
    Stale,
    /// It was made from exactly these, but its files are not those of its manifest: a merge by hand.
    Untrusted,
    /// It was made from exactly these by a server of this major version.
    Belongs {
        /// The server's major version.
        server: u32,
    },
}

/// What came of regenerating a baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regenerated {
    /// The files that were written or removed, relative to the baseline's folder.
    pub changed: Vec<String>,
}

/// Says what the committed baseline is worth. Its own files are read only with `thorough`.
pub fn worth(project: &Project, checkout: &Checkout, thorough: bool) -> Worth {
    let folder = project.baseline_folder(checkout.dialect);
    let Ok(bytes) = project.files.read(&format!("{folder}/{MANIFEST}")) else { return Worth::Stale };
    let text = String::from_utf8_lossy(&bytes);
    let Some((head, rest)) = text.split_once("\n[inputs]\n") else { return Worth::Stale };
    let Some((inputs, files)) = rest.split_once("\n[files]\n") else { return Worth::Stale };
    let head: BTreeMap<&str, &str> = head.lines().filter_map(|line| line.split_once(" = ")).collect();
    if head.get("format") != Some(&FORMAT.to_string().as_str()) || inputs != lines(&self::inputs(checkout)) {
        return Worth::Stale;
    }
    let Some(server) = head.get("server").and_then(|server| server.parse().ok()) else { return Worth::Stale };
    if thorough {
        let listed: Option<BTreeMap<String, Checksum>> = files.lines().map(file_line).collect();
        let same = |(file, checksum): (&String, &Checksum)| {
            let content = project.files.read(&format!("{folder}/{file}"));
            content.is_ok_and(|content| Checksum::of_bytes(&content) == *checksum)
        };
        let is_listed = |listed: &BTreeMap<String, Checksum>, path: &str| {
            let inside = path.strip_prefix(folder.as_str()).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path);
            inside == MANIFEST || !is_ours(inside) || inside.starts_with(".dbbuild-") || listed.contains_key(inside)
        };
        let is_whole = |listed: &BTreeMap<String, Checksum>| {
            let files = project.files.walk(&folder).into_iter().filter(|found| found.kind == FoundKind::File);
            listed.iter().all(same) && files.map(|found| found.path).all(|path| is_listed(listed, &path))
        };
        if !listed.is_some_and(|listed| is_whole(&listed)) {
            return Worth::Untrusted;
        }
    }
    Worth::Belongs { server }
}

/// Returns the server's major version that the committed baseline says it was made with.
fn committed_server(project: &Project, dialect: Dialect) -> Option<u32> {
    let bytes = project.files.read(&format!("{}/{MANIFEST}", project.baseline_folder(dialect))).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.lines().find_map(|line| line.strip_prefix("server = ")?.parse().ok())
}

fn file_line(line: &str) -> Option<(String, Checksum)> {
    let (file, checksum) = line.split_once("\" = \"")?;
    Some((file.strip_prefix('"')?.to_owned(), checksum.strip_suffix('"')?.to_owned().into()))
}

/// Returns what a baseline is made from: scripts, code, seeds of every environment's database.
fn inputs(checkout: &Checkout) -> BTreeMap<String, Checksum> {
    let scripts = checkout.scripts.iter().filter(|script| !checkout.is_squashed(script));
    let scripts = scripts.map(|script| (script.file.clone(), script.checksum.clone()));
    let base = checkout.base.iter().map(|base| (base.manifest(), base.checksum.clone()));
    let seeds = checkout.seeds.iter().filter(|seed| seed.environment.is_none()).map(|seed| &seed.source);
    let files = checkout.code.iter().chain(seeds).map(|source| (source.file.clone(), source.checksum.clone()));
    scripts.chain(base).chain(files).collect()
}

fn lines(files: &BTreeMap<String, Checksum>) -> String {
    files.iter().map(|(file, checksum)| format!("{file:?} = \"{checksum}\"\n")).collect()
}

fn manifest(
    dialect: Dialect,
    info: &DumpInfo,
    inputs: &BTreeMap<String, Checksum>,
    files: &BTreeMap<String, Checksum>,
) -> String {
    let mut text = String::from("# Written by dbbuild. After a merge: `dbbuild`.\n");
    text += &format!("format = {FORMAT}\nengine = \"{}\"\nserver = {}\n", dialect.name(), info.server_major);
    if let Some(major) = info.dump_major {
        text += &format!("pg-dump = {major}\n");
    }
    text + "\n[inputs]\n" + &lines(inputs) + "\n[files]\n" + &lines(files)
}

/// Says that a baseline that was made from one state of the files is of another one too: a squash changes what
/// stands for what, and nothing that comes out.
pub fn stays(project: &Project, before: &Checkout, after: &Checkout) -> Result<bool, Error> {
    let Some(root) = project.files.root() else { return Ok(false) };
    if !matches!(worth(project, before, true), Worth::Belongs { .. }) {
        return Ok(false);
    }
    let path = root.join(project.baseline_folder(before.dialect)).join(MANIFEST);
    let text = std::fs::read_to_string(&path).map_err(|error| io(&path, error))?;
    let text = text.replacen(&lines(&inputs(before)), &lines(&inputs(after)), 1);
    let folder = path.parent().unwrap_or(root);
    let new = tempfile::NamedTempFile::new_in(folder).map_err(|error| io(folder, error))?;
    std::fs::write(new.path(), text).map_err(|error| io(&path, error))?;
    new.persist(&path).map_err(|error| io(&path, error.error))?;
    Ok(true)
}

/// Regenerates the baseline as a step of a build, where trouble outside is a note and no failure.
pub fn step(site: &Site<'_>, checkout: &Checkout, folder: &str, observer: &mut dyn Observer) -> Result<(), Error> {
    let started = Instant::now();
    observer.event(Event::Started { step: StepKind::Baseline, name: folder.to_owned() });
    match regenerate(site, checkout, observer) {
        Ok(regenerated) => {
            observer.event(Event::Finished {
                step: StepKind::Baseline,
                name: folder.to_owned(),
                duration_ms: milliseconds(started.elapsed()),
                result: StepResult::Regenerated { files: regenerated.changed },
            });
            Ok(())
        }
        Err(Error::Engine(error @ (EngineError::Tool { .. } | EngineError::Refused { .. }))) => {
            let message = format!("{folder} was not regenerated: {error}");
            observer.event(Event::Note { code: "baseline-skipped".into(), message });
            Ok(())
        }
        Err(other) => Err(other),
    }
}

/// Builds the checkout in a scratch database, dumps it, and writes what differs from the committed baseline.
pub fn regenerate(site: &Site<'_>, checkout: &Checkout, observer: &mut dyn Observer) -> Result<Regenerated, Error> {
    let Some(root) = site.project.files.root() else { return Ok(Regenerated { changed: Vec::new() }) };
    let folder = root.join(site.project.baseline_folder(checkout.dialect));
    std::fs::create_dir_all(&folder).map_err(|error| io(&folder, error))?;
    // Beside the baseline, so that its files can be renamed into place.
    let fresh = tempfile::Builder::new().prefix(".dbbuild-").tempdir_in(&folder).map_err(|error| io(&folder, error))?;
    let info = dump(site, checkout, fresh.path(), observer)?;
    let mut files = BTreeMap::new();
    for path in files_below(fresh.path())? {
        let content = std::fs::read(fresh.path().join(&path)).map_err(|error| io(&fresh.path().join(&path), error))?;
        files.insert(path, Checksum::of_bytes(&content));
    }
    let mut changed = Vec::new();
    for (path, checksum) in &files {
        let committed = folder.join(path);
        let same = std::fs::read(&committed).is_ok_and(|content| Checksum::of_bytes(&content) == *checksum);
        if !same {
            if let Some(parent) = committed.parent() {
                std::fs::create_dir_all(parent).map_err(|error| io(parent, error))?;
            }
            std::fs::rename(fresh.path().join(path), &committed).map_err(|error| io(&committed, error))?;
            changed.push(path.clone());
        }
    }
    // The manifest comes after the files it lists: a baseline that was left half-written is not trusted.
    let text = manifest(checkout.dialect, &info, &inputs(checkout), &files);
    let path = folder.join(MANIFEST);
    if !std::fs::read(&path).is_ok_and(|content| content == text.as_bytes()) {
        let new = fresh.path().join(MANIFEST);
        std::fs::write(&new, text).map_err(|error| io(&new, error))?;
        std::fs::rename(&new, &path).map_err(|error| io(&path, error))?;
        changed.push(MANIFEST.to_owned());
    }
    drop(fresh);
    for path in files_below(&folder)? {
        if path != MANIFEST && !files.contains_key(&path) && is_ours(&path) {
            std::fs::remove_file(folder.join(&path)).map_err(|error| io(&folder.join(&path), error))?;
            changed.push(path);
        }
    }
    Ok(Regenerated { changed })
}

/// Returns true for the names of files that baselines have, so that a README beside them stays.
fn is_ours(path: &str) -> bool {
    path.starts_with("data/") || path.ends_with(".sql") || path.starts_with(".dbbuild-")
}

/// Builds the checkout in a scratch database and dumps it into an empty folder.
fn dump(site: &Site<'_>, checkout: &Checkout, folder: &Path, observer: &mut dyn Observer) -> Result<DumpInfo, Error> {
    // No environment: a baseline is what a new install of any environment needs.
    let mut fresh = Fresh::begin(site, checkout, None, observer)?;
    let server = fresh.session.inspect(&site.project.name)?.major;
    if let Some(committed) = committed_server(site.project, checkout.dialect).filter(|committed| *committed != server) {
        return Err(EngineError::Refused {
            code: "baseline/other-server",
            message: format!("the committed one is of server version {committed}, and this one is {server}"),
            place: None,
            hint: Some(format!("use a server of version {committed}; to move on to {server}, delete the baseline's manifest and build again")),
        }
        .into());
    }
    fresh.build(site, checkout, None)?;
    Ok(fresh.keep()?.session.dump(folder, observer)?)
}

fn files_below(folder: &Path) -> Result<Vec<String>, Error> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(|error| io(folder, error.into()))?;
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            files.push(path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"));
        }
    }
    Ok(files)
}

fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Io { path: PathBuf::from(path), source }
}
