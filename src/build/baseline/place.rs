//! The files of a baseline on the disk: made beside the committed ones, compared, put in their place.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::manifest::{Listed, MANIFEST};
use crate::error::Error;
use crate::script::Checksum;

/// The beginning of the names of folders in which a baseline is made.
const BUILDING: &str = ".dbbuild-";

/// When such a folder is nobody's any more, if no lock tells whose it is: its run was killed.
const FORGOTTEN: Duration = Duration::from_secs(3_600);

/// The file in such a folder that its run holds a lock on.
const LOCK: &str = "lock";

/// A folder in the baseline's own, so that files can be renamed into place. It goes with this value.
pub(super) struct Place {
    committed: PathBuf,
    /// Where the new one is made.
    pub fresh: PathBuf,
    /// Tells other runs that this one is alive.
    lock: File,
    temporary: tempfile::TempDir,
}

impl Place {
    /// Makes the folder; takes away what killed runs left.
    pub fn beside(committed: PathBuf) -> Result<Self, Error> {
        std::fs::create_dir_all(&committed).map_err(|error| io(&committed, error))?;
        collect_forgotten(&committed);
        let temporary = tempfile::Builder::new().prefix(BUILDING).tempdir_in(&committed);
        let temporary = temporary.map_err(|error| io(&committed, error))?;
        // Whoever stages the baseline while it is made stages nothing of this.
        let ignore = temporary.path().join(".gitignore");
        std::fs::write(&ignore, "*\n").map_err(|error| io(&ignore, error))?;
        let lock = lock(temporary.path()).map_err(|error| io(temporary.path(), error))?;
        let place = Self { fresh: temporary.path().join("fresh"), committed, lock, temporary };
        place.folder("fresh")?;
        Ok(place)
    }

    /// Makes another folder for what is only compared.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Error> {
        let folder = self.temporary.path().join(name);
        std::fs::create_dir(&folder).map_err(|error| io(&folder, error))?;
        Ok(folder)
    }

    /// Returns the folder of the committed one.
    pub fn committed(&self) -> &Path {
        &self.committed
    }

    /// Returns true if the new files are there already, byte by byte.
    pub fn is_committed(&self, files: &Listed) -> bool {
        files.iter().all(|(path, checksum)| checksum_of(&self.committed.join(path)).ok().as_ref() == Some(checksum))
    }

    /// Takes everything away again, and the folder if there was none before.
    pub fn abandon(self) {
        drop(self.lock);
        drop(self.temporary);
        // It fails where something is in it.
        if std::fs::remove_dir(&self.committed).is_ok() {
            self.committed.parent().map(std::fs::remove_dir);
        }
    }

    /// Puts what differs in place, the manifest behind the files that it lists: a baseline that was left
    /// half-written is not trusted. Returns the files that were written or removed.
    pub fn replace(self, files: &Listed, manifest: &str) -> Result<Vec<String>, Error> {
        let Self { committed: folder, fresh, lock, temporary } = self;
        let mut changed = Vec::new();
        for (path, checksum) in files {
            let committed = folder.join(path);
            if checksum_of(&committed).ok().as_ref() != Some(checksum) {
                if let Some(parent) = committed.parent() {
                    std::fs::create_dir_all(parent).map_err(|error| io(parent, error))?;
                }
                std::fs::rename(fresh.join(path), &committed).map_err(|error| io(&committed, error))?;
                changed.push(path.clone());
            }
        }
        let path = folder.join(MANIFEST);
        if !std::fs::read(&path).is_ok_and(|content| content == manifest.as_bytes()) {
            let new = fresh.join(MANIFEST);
            std::fs::write(&new, manifest).map_err(|error| io(&new, error))?;
            std::fs::rename(&new, &path).map_err(|error| io(&path, error))?;
            changed.push(MANIFEST.to_owned());
        }
        drop(lock);
        drop(temporary);
        for path in files_below(&folder)? {
            if path != MANIFEST && !files.contains_key(&path) && is_ours(&path) && !is_building(&path) {
                std::fs::remove_file(folder.join(&path)).map_err(|error| io(&folder.join(&path), error))?;
                // It fails while something is in it.
                folder.join(&path).parent().map(std::fs::remove_dir);
                changed.push(path);
            }
        }
        Ok(changed)
    }
}

/// Makes the lock of a folder; it gets its name when it is held.
fn lock(folder: &Path) -> std::io::Result<File> {
    let new = folder.join(format!("{LOCK}.new"));
    let file = File::create(&new)?;
    // A file system without locks goes by the age.
    if file.try_lock().is_ok() {
        std::fs::rename(new, folder.join(LOCK))?;
    }
    Ok(file)
}

/// Removes what killed runs left; what cannot be removed stays, and harms nobody.
pub fn collect_forgotten(folder: &Path) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        if !is_building(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let is_forgotten = match File::open(entry.path().join(LOCK)) {
            Ok(lock) => lock.try_lock().is_ok(),
            Err(_) => entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > FORGOTTEN)),
        };
        if is_forgotten {
            std::fs::remove_dir_all(entry.path()).ok();
        }
    }
}

/// Returns the files of a folder with their checksums.
pub(super) fn list(folder: &Path) -> Result<Listed, Error> {
    let mut files = Listed::new();
    for path in files_below(folder)? {
        let checksum = checksum_of(&folder.join(&path))?;
        files.insert(path, checksum);
    }
    Ok(files)
}

/// Returns true for the names of files that baselines have, so that a README beside them stays.
pub(super) fn is_ours(path: &str) -> bool {
    path.starts_with("data/") || path.ends_with(".sql") || path == super::objects::OBJECTS || path.starts_with(BUILDING)
}

/// Returns true for files of a baseline that is being made.
pub(super) fn is_building(path: &str) -> bool {
    path.starts_with(BUILDING)
}

/// Returns the checksum of a file as a manifest has it, whatever the file's size.
pub fn checksum_of(path: &Path) -> Result<Checksum, Error> {
    let mut hasher = blake3::Hasher::new();
    let file = File::open(path).map_err(|error| io(path, error))?;
    hasher.update_reader(file).map_err(|error| io(path, error))?;
    Ok(Checksum::of_hasher(&hasher))
}

/// Returns the files below a folder, relative to it, with `/`.
pub fn files_below(folder: &Path) -> Result<Vec<String>, Error> {
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

pub(super) fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Io { path: PathBuf::from(path), source }
}
