//! `manifest.toml`: what a baseline was made from and what it consists of.
//!
//! One sorted line an input and a file, so that independent changes touch different lines. A manifest in which a
//! merge left its marks is read as none.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Checkout;
use crate::engine::DumpInfo;
use crate::project::Project;
use crate::script::Checksum;
use crate::sql::Dialect;

/// The manifest's name.
pub(super) const MANIFEST: &str = "manifest.toml";
/// The format of baselines that this program writes.
const FORMAT: u32 = 1;

/// Paths and their checksums.
pub(super) type Listed = BTreeMap<String, Checksum>;

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The server's major version.
    pub server: u32,
    /// The scripts, code and seeds.
    pub inputs: Listed,
    /// The baseline's own files, relative to its folder.
    pub files: Listed,
}

impl Manifest {
    /// Reads the committed one; `None` without one, or if it is not whole.
    pub fn committed(project: &Project, dialect: Dialect) -> Option<Self> {
        let bytes = project.files.read(&format!("{}/{MANIFEST}", project.baseline_folder(dialect))).ok()?;
        Self::parse(&String::from_utf8(bytes).ok()?, dialect)
    }

    /// Reads a manifest's text; one of another engine, in the wrong folder, is none.
    fn parse(text: &str, dialect: Dialect) -> Option<Self> {
        let text = if text.contains('\r') { text.replace("\r\n", "\n") } else { text.to_owned() };
        let (head, rest) = text.split_once("\n[inputs]\n")?;
        let (inputs, files) = rest.split_once("\n[files]\n")?;
        let head: BTreeMap<&str, &str> = head.lines().filter_map(|line| line.split_once(" = ")).collect();
        let engine = format!("\"{}\"", dialect.name());
        if head.get("format") != Some(&FORMAT.to_string().as_str()) || head.get("engine") != Some(&engine.as_str()) {
            return None;
        }
        let server = head.get("server").and_then(|server| server.parse().ok())?;
        Some(Self { server, inputs: listed(inputs)?, files: listed(files)? })
    }

    /// Returns the text to be written.
    pub fn text(dialect: Dialect, info: &DumpInfo, inputs: &Listed, files: &Listed) -> String {
        let mut text = String::from("# Written by dbbuild. After a merge: `dbbuild baseline`.\n");
        text += &format!("format = {FORMAT}\nengine = \"{}\"\nserver = {}\n", dialect.name(), info.server_major);
        if let Some(major) = info.dump_major {
            text += &format!("pg-dump = {major}\n");
        }
        text + "\n[inputs]\n" + &lines(inputs) + "\n[files]\n" + &lines(files)
    }
}

/// Returns the engine of the committed manifest, if it is another one than its folder's.
pub(super) fn other_engine(project: &Project, dialect: Dialect) -> Option<String> {
    let bytes = project.files.read(&format!("{}/{MANIFEST}", project.baseline_folder(dialect))).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let engine = text.lines().find_map(|line| line.strip_prefix("engine = \"")?.trim_end().strip_suffix('"'))?;
    (engine != dialect.name()).then(|| engine.to_owned())
}

/// Returns the server's major version that the committed manifest names, whole or not.
pub(super) fn committed_server(project: &Project, dialect: Dialect) -> Option<u32> {
    let bytes = project.files.read(&format!("{}/{MANIFEST}", project.baseline_folder(dialect))).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut named: Vec<u32> =
        text.lines().filter_map(|line| line.strip_prefix("server = ")?.trim_end().parse().ok()).collect();
    named.dedup();
    // Two sides of a merge that name two servers: whoever resolves it decides.
    if named.len() == 1 { named.pop() } else { None }
}

/// Returns what a baseline is made from: scripts, code, seeds of every environment's database.
pub(super) fn inputs(checkout: &Checkout) -> Listed {
    let scripts = checkout.scripts.iter().filter(|script| !checkout.is_squashed(script));
    let scripts = scripts.map(|script| (script.file.clone(), script.checksum.clone()));
    let base = checkout.base.iter().map(|base| (base.manifest(), base.checksum.clone()));
    let seeds = checkout.seeds.iter().filter(|seed| seed.environment.is_none()).map(|seed| &seed.source);
    let files = checkout.code.iter().chain(seeds).map(|source| (source.file.clone(), source.checksum.clone()));
    scripts.chain(base).chain(files).collect()
}

/// Says how two lists differ, a line each: `db/4_next.sql is new`.
pub(super) fn changes(before: &Listed, now: &Listed) -> Vec<String> {
    let mut changes = Vec::new();
    for (path, checksum) in now {
        match before.get(path) {
            None => changes.push(format!("{path} is new")),
            Some(other) if other != checksum => changes.push(format!("{path} is another one")),
            Some(_) => {}
        }
    }
    changes.extend(before.keys().filter(|path| !now.contains_key(*path)).map(|path| format!("{path} is gone")));
    changes.sort();
    changes
}

pub(super) fn lines(files: &Listed) -> String {
    let mut text = String::new();
    for (file, checksum) in files {
        // Writing to a String does not fail.
        writeln!(text, "{file:?} = \"{checksum}\"").ok();
    }
    text
}

/// Reads the lines of a list; `None` if one of them is none of ours.
fn listed(lines: &str) -> Option<Listed> {
    let line = |line: &str| {
        let (file, checksum) = line.split_once("\" = \"")?;
        Some((unquoted(file.strip_prefix('"')?), checksum.strip_suffix('"')?.to_owned().into()))
    };
    lines.lines().filter(|text| !text.is_empty()).map(line).collect()
}

/// Takes back what `{:?}` does to a path.
fn unquoted(text: &str) -> String {
    if text.contains('\\') { text.replace("\\\"", "\"").replace("\\\\", "\\") } else { text.to_owned() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text() -> String {
        let one = |path: &str| (path.to_owned(), Checksum::of_text(path));
        let info = DumpInfo { server_major: 15, dump_major: Some(16) };
        Manifest::text(Dialect::Postgres, &info, &[one("db/1 \"a\".sql")].into(), &[one("pre-data.sql")].into())
    }

    #[test]
    fn what_is_written_is_read() {
        let read = |text: &str| Manifest::parse(text, Dialect::Postgres);
        let manifest = read(&text()).unwrap();
        assert_eq!(Manifest::parse(&text(), Dialect::Sqlite), None);
        assert_eq!(manifest.server, 15);
        assert_eq!(manifest.inputs.keys().collect::<Vec<_>>(), ["db/1 \"a\".sql"]);
        assert_eq!(manifest.files["pre-data.sql"], Checksum::of_text("pre-data.sql"));
        assert_eq!(read(&text().replace('\n', "\r\n")), Some(manifest));
    }

    #[test]
    fn a_merge_by_hand_is_none() {
        for mark in ["<<<<<<< HEAD\n", "=======\n", ">>>>>>> other\n"] {
            let marked = text().replace("\n[files]\n", &format!("\n[files]\n{mark}"));
            assert_eq!(Manifest::parse(&marked, Dialect::Postgres), None);
        }
    }

    #[test]
    fn lists_are_compared() {
        let one = |path: &str, text: &str| (path.to_owned(), Checksum::of_text(text));
        let before = [one("a", "1"), one("b", "1"), one("c", "1")].into();
        let now = [one("b", "2"), one("c", "1"), one("d", "1")].into();
        assert_eq!(changes(&before, &now), ["a is gone", "b is another one", "d is new"]);
    }
}
