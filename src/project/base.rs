//! The base of a project: the frozen dump that stands for squashed scripts, and its list of what those were.
//!
//! Promise: nothing of it is taken at its word but the list itself; whether its files are the ones that were written
//! is asked before they are loaded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Project;
use super::files::FoundKind;
use crate::script::{Checksum, Fault, ScriptErrors, Squashed, Version};
use crate::sql::Dialect;

/// The file that says what a base stands for and consists of.
pub const MANIFEST: &str = "manifest.toml";

/// The format of bases that this program writes.
pub const FORMAT: u32 = 1;

/// A base for one engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its folder, relative to the project.
    pub folder: String,
    /// The version that it brings a database to.
    pub version: Version,
    /// The major version of the server that it was made with.
    pub server: u32,
    /// What it stands for, in the order of versions.
    pub scripts: Vec<Squashed>,
    /// The checksum of its manifest.
    pub checksum: Checksum,
    /// Its files and their checksums.
    pub files: BTreeMap<String, Checksum>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Manifest {
    format: u32,
    #[serde(default)]
    engine: Option<String>,
    server: u32,
    version: String,
    #[serde(default)]
    scripts: Vec<Line>,
    files: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    version: String,
    name: String,
    file: String,
    checksum: String,
    tokens: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
}

/// Returns the folder of an engine's base.
pub fn folder(project: &Project, dialect: Dialect) -> String {
    match project.scripts_folder(dialect) {
        "." | "" => format!("base/{}", dialect.name()),
        scripts => format!("{scripts}/base/{}", dialect.name()),
    }
}

impl Base {
    /// Reads the base of an engine, if there is one.
    pub fn read(project: &Project, dialect: Dialect) -> Result<Option<Self>, ScriptErrors> {
        let folder = folder(project, dialect);
        let file = format!("{folder}/{MANIFEST}");
        if !project.files.has(&file) {
            return Ok(None);
        }
        let hint = "a base is never edited: put it back as `dbbuild squash` wrote it, from source control";
        let fault = |message: String| ScriptErrors::from(Fault::new("base/manifest", &file, message).hint(hint));
        let bytes = project.files.read(&file).map_err(|error| fault(format!("cannot be read: {error}")))?;
        let text = crate::script::normalise(&file, bytes)?;
        let manifest: Manifest = toml::from_str(&text).map_err(|error| fault(error.message().to_owned()))?;
        if manifest.format != FORMAT {
            return Err(fault(format!("has format {}, and this program reads {FORMAT}", manifest.format)));
        }
        if let Some(engine) = manifest.engine.filter(|engine| engine != dialect.name()) {
            return Err(fault(format!("is of {engine}, and this is the folder of {dialect}")));
        }
        let version = |text: &str| {
            let wrong = |_| fault(format!("{text:?} is no version"));
            text.parse::<Version>().map_err(wrong)
        };
        let mut scripts = Vec::with_capacity(manifest.scripts.len());
        for line in manifest.scripts {
            scripts.push(Squashed {
                version: version(&line.version)?,
                name: line.name,
                file: line.file,
                checksum: line.checksum.into(),
                tokens: line.tokens.into(),
                revision: line.revision,
            });
        }
        scripts.sort_by(|a, b| a.version.cmp(&b.version));
        let files = manifest.files.into_iter().map(|(file, checksum)| (file, checksum.into()));
        Ok(Some(Self {
            folder,
            version: version(&manifest.version)?,
            server: manifest.server,
            scripts,
            checksum: Checksum::of_text(&text),
            files: files.collect(),
        }))
    }

    /// Returns what it has of a version.
    pub fn of(&self, version: &Version) -> Option<&Squashed> {
        let found = self.scripts.binary_search_by(|script| script.version.cmp(version));
        found.ok().and_then(|index| self.scripts.get(index))
    }

    /// Returns the path of its manifest.
    pub fn manifest(&self) -> String {
        format!("{}/{MANIFEST}", self.folder)
    }

    /// Returns the first file that is not the one that was written, or that was not written at all: the rows of
    /// every file in its folder are loaded.
    pub fn damage(&self, project: &Project) -> Option<String> {
        let changed = self.files.iter().find_map(|(file, checksum)| {
            let path = format!("{}/{file}", self.folder);
            (!project.files.checksum(&path).is_ok_and(|found| found == *checksum)).then_some(path)
        });
        let is_strange = |path: &String| {
            let file = path.get(self.folder.len() + 1..).unwrap_or_default();
            file.starts_with("data/") && !self.files.contains_key(file)
        };
        let more = || project.files.walk(&self.folder).into_iter().filter(|found| found.kind != FoundKind::Folder);
        changed.or_else(|| more().map(|found| found.path).find(is_strange))
    }

    /// Returns the manifest's text.
    pub fn text(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let mut text =
            String::from("# Written by `dbbuild squash`. It is frozen: never edited, never written again.\n");
        let version = quoted(&self.version.to_string());
        let engine = quoted(self.folder.rsplit('/').next().unwrap_or_default());
        text += &format!("format = {FORMAT}\nengine = {engine}\nserver = {}\nversion = {version}\n", self.server);
        for script in &self.scripts {
            let lines = [
                ("version", script.version.to_string()),
                ("name", script.name.clone()),
                ("file", script.file.clone()),
                ("checksum", script.checksum.to_string()),
                ("tokens", script.tokens.to_string()),
            ];
            text += "\n[[scripts]]\n";
            for (key, value) in lines {
                text += &format!("{key} = {}\n", quoted(&value));
            }
            if let Some(revision) = &script.revision {
                text += &format!("revision = {}\n", quoted(revision));
            }
        }
        text += "\n[files]\n";
        for (file, checksum) in &self.files {
            text += &format!("{} = {}\n", quoted(file), quoted(checksum.as_str()));
        }
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::open(folder.path()).unwrap();
        assert_eq!(Base::read(&project, Dialect::Sqlite).unwrap(), None);
        let squashed = |version: &str, revision: Option<&str>| Squashed {
            version: version.parse().unwrap(),
            name: "an \"odd\" name".into(),
            file: format!("db/{version}_ö.sql"),
            checksum: Checksum::of_text(version),
            tokens: Checksum::of_tokens([version]),
            revision: revision.map(str::to_owned),
        };
        let mut base = Base {
            folder: "db/base/sqlite".into(),
            version: "10".parse().unwrap(),
            server: 3,
            scripts: vec![squashed("2", Some("abc")), squashed("10", None)],
            checksum: Checksum::default(),
            files: [("data/a b.sql".to_owned(), Checksum::of_bytes(b"x"))].into(),
        };
        let path = folder.path().join("db/base/sqlite");
        std::fs::create_dir_all(path.join("data")).unwrap();
        std::fs::write(path.join(MANIFEST), base.text()).unwrap();
        base.checksum = Checksum::of_text(&base.text());
        let read = Base::read(&project, Dialect::Sqlite).unwrap().unwrap();
        assert_eq!(read, base);
        assert_eq!(read.damage(&project).as_deref(), Some("db/base/sqlite/data/a b.sql"));
        let other = folder.path().join("db/base/postgres");
        std::fs::create_dir_all(&other).unwrap();
        std::fs::write(other.join(MANIFEST), base.text()).unwrap();
        let fault = Base::read(&project, Dialect::Postgres).unwrap_err().0.remove(0);
        assert!(fault.message.contains("is of sqlite"), "{fault}");
        std::fs::write(path.join("data/a b.sql"), "x").unwrap();
        assert_eq!(read.damage(&project), None);
        assert_eq!(read.of(&"10".parse().unwrap()).unwrap().revision, None);
        assert!(read.of(&"3".parse().unwrap()).is_none());
    }
}
