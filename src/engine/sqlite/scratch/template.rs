//! Builds that are kept for later runs: one file each in the user's cache folder, named after what went into it.
//!
//! A file gets its name when it is whole, and is never changed after. A template is only ever a saving of time:
//! what goes wrong with one goes unsaid, and the build is made from the scripts.

use std::fs::{DirBuilder, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::engine::scratch::template_name;
use crate::engine::sqlite::database::Database;
use crate::host::Host;

/// How many templates are kept: those that were used last.
pub(super) const MOST: usize = 12;

/// A template above this size would cost more room than the time it saves is worth.
const LARGEST: u64 = 256 << 20;

/// A file that a killed run left unfinished is removed after this time.
const UNFINISHED: Duration = Duration::from_secs(3600);

/// The folder of the templates.
#[derive(Clone)]
pub(super) struct Templates {
    folder: PathBuf,
    program: String,
}

impl Templates {
    pub fn of(host: &Host) -> Option<Self> {
        let folder = host.cache.as_ref()?.join("sqlite");
        Some(Self { folder, program: host.program.clone().unwrap_or_default() })
    }

    /// Names a template. Another SQLite may read the same scripts in another way.
    pub fn template(&self, template: &str, like: &Database) -> Template {
        let facts = [template, &self.program, rusqlite::version(), like.names.prefix()];
        Template { file: self.folder.join(format!("{}.db", template_name(facts))), templates: self.clone() }
    }

    /// Removes what was used least lately, and what was never finished.
    fn collect(&self) {
        let Ok(entries) = self.folder.read_dir() else { return };
        let mut kept: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in entries.flatten() {
            let Ok(used) = entry.metadata().and_then(|metadata| metadata.modified()) else { continue };
            if entry.file_name().to_string_lossy().starts_with("new-") {
                if used.elapsed().is_ok_and(|age| age > UNFINISHED) {
                    std::fs::remove_file(entry.path()).ok();
                }
            } else {
                kept.push((used, entry.path()));
            }
        }
        kept.sort();
        for (_, file) in kept.iter().rev().skip(MOST) {
            std::fs::remove_file(file).ok();
        }
    }
}

/// One template, which may be there or not.
pub(super) struct Template {
    file: PathBuf,
    templates: Templates,
}

impl Template {
    /// Copies it into a new file, if it is there.
    pub fn copy_to(&self, new: &Path) {
        if !self.file.is_file() {
            return;
        }
        if super::copy(&self.file, new).is_err() {
            std::fs::remove_file(new).ok();
            std::fs::remove_file(&self.file).ok();
            return;
        }
        File::open(&self.file).and_then(|file| file.set_modified(SystemTime::now())).ok();
    }

    /// Makes it a copy of a database.
    pub fn keep(&self, built: &Path) {
        let folder = &self.templates.folder;
        let fits = built.metadata().is_ok_and(|metadata| metadata.len() <= LARGEST);
        if !fits || make_folder(folder).is_err() {
            return;
        }
        let Ok(new) = tempfile::Builder::new().prefix("new-").tempfile_in(folder) else { return };
        let new = new.into_temp_path();
        if super::copy(built, &new).is_ok() {
            new.persist(&self.file).ok();
        }
        self.templates.collect();
    }
}

/// Makes the folder, which is nobody else's to look into: seeds may be confidential.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}
