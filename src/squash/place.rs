//! A base's files on the disk: made beside the committed ones, synced, put in their place.
//!
//! Promise: whenever it is cut short, the base is the old one, the new one, or one whose manifest tells that it is
//! damaged; what is returned from is on the disk, so that the scripts may go.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use super::io;
use crate::build::{collect_forgotten, files_below};
use crate::error::Error;
use crate::project::base::MANIFEST;
use crate::script::Checksum;

/// Makes a folder in which a base is made; takes away what killed runs left.
pub(super) fn beside(parent: &Path) -> Result<tempfile::TempDir, Error> {
    std::fs::create_dir_all(parent).map_err(|error| io(parent, error))?;
    collect_forgotten(parent);
    tempfile::Builder::new().prefix(".dbbuild-").tempdir_in(parent).map_err(|error| io(parent, error))
}

/// Puts a new base in its place: the first one by one renaming, another one file by file, its manifest behind all
/// others. A base is never away in between: without one, an empty database would be built without the squashed scripts.
pub(super) fn put(folder: &Path, new: tempfile::TempDir, files: &BTreeMap<String, Checksum>) -> Result<(), Error> {
    let parent = folder.parent().unwrap_or(folder);
    open_to_all(parent, new.path())?;
    sync(new.path())?;
    if !folder.exists() {
        let new = new.keep();
        if let Err(error) = std::fs::rename(&new, folder) {
            std::fs::remove_dir_all(&new).ok();
            return Err(io(folder, error));
        }
        return sync_folder(parent);
    }
    for file in files.keys() {
        let path = folder.join(file);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| io(parent, error))?;
        }
        std::fs::rename(new.path().join(file), &path).map_err(|error| io(&path, error))?;
    }
    // Before the manifest: rows of a table that has none any more would be loaded.
    for file in files_below(folder)?.iter().filter(|file| *file != MANIFEST && !files.contains_key(*file)) {
        let path = folder.join(file);
        std::fs::remove_file(&path).map_err(|error| io(&path, error))?;
        // It fails while something is in it.
        path.parent().map(std::fs::remove_dir);
    }
    sync(folder)?;
    let manifest = folder.join(MANIFEST);
    std::fs::rename(new.path().join(MANIFEST), &manifest).map_err(|error| io(&manifest, error))?;
    sync_folder(folder)
}

/// Waits until a folder is on the disk with everything in it.
pub(super) fn sync(folder: &Path) -> Result<(), Error> {
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.map_err(|error| io(folder, error.into()))?;
        if entry.file_type().is_file() {
            let synced = File::open(entry.path()).and_then(|file| file.sync_all());
            synced.map_err(|error| io(entry.path(), error))?;
        } else if entry.file_type().is_dir() {
            sync_folder(entry.path())?;
        }
    }
    folder.parent().map_or(Ok(()), sync_folder)
}

/// Only on Unix is a folder something that can be synced.
fn sync_folder(folder: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    File::open(folder).and_then(|file| file.sync_all()).map_err(|error| io(folder, error))?;
    Ok(())
}

/// A temporary folder is its maker's alone; what is committed is not.
fn open_to_all(parent: &Path, folder: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let permissions = parent.metadata().map_err(|error| io(parent, error))?.permissions().mode();
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(permissions))
            .map_err(|error| io(folder, error))?;
    }
    Ok(())
}
