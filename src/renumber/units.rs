//! The files that are one change: a script for each engine, its ways down, its options.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::numbering::{Known, Written};
use crate::project::{Layout, Project};
use crate::script::{Role, Version};

/// One change: files of one version that belong together.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its files, at least one.
    pub files: Vec<Known>,
    version: Version,
}

/// Groups files, which come in the order of their versions, into changes.
///
/// Files of one version and one name are one change. So are scripts of one version with different names that serve
/// different engines: they do not collide.
pub fn units(files: Vec<Known>) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    // A way down finds its script by the version alone, where there is only one; so the ways up come first.
    let (ups, downs): (Vec<Known>, Vec<Known>) = files.into_iter().partition(|known| known.parts.is_up());
    for file in ups.into_iter().chain(downs) {
        let of_version = || units.iter().enumerate().filter(|(_, unit)| unit.version == *file.version());
        let same_name = of_version().find(|(_, unit)| unit.has_name(&file)).map(|(index, _)| index);
        let compatible = of_version().find(|(_, unit)| unit.is_compatible(&file)).map(|(index, _)| index);
        match same_name.filter(|index| units[*index].is_compatible(&file)).or(compatible) {
            Some(index) => units[index].files.push(file),
            None => units.push(Unit { version: file.version().clone(), files: vec![file] }),
        }
    }
    units.sort_by(|a, b| a.version.cmp(&b.version));
    units
}

impl Unit {
    /// Returns the version.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Returns the version as its first file writes it.
    pub fn written(&self) -> Written {
        self.files.first().map_or_else(
            || Written { folder: String::new(), raw: String::new(), version: self.version.clone() },
            Known::written,
        )
    }

    /// Returns its files' paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|known| known.path.as_str())
    }

    /// Returns its files for people.
    pub fn shown(&self) -> String {
        self.paths().collect::<Vec<_>>().join(", ")
    }

    /// Returns true if one of its files is among these.
    pub fn is_in(&self, paths: &BTreeSet<String>) -> bool {
        self.paths().any(|path| paths.contains(path))
    }

    /// Returns when it was written last, in nanoseconds.
    pub fn modified(&self, root: &Path) -> Option<i128> {
        let times = self.paths().filter_map(|path| root.join(path).metadata().ok()?.modified().ok());
        times.filter_map(|time| time.duration_since(UNIX_EPOCH).ok()?.as_nanos().try_into().ok()).max()
    }

    fn has_name(&self, file: &Known) -> bool {
        self.files.iter().any(|known| known.parts.name.name == file.parts.name.name)
    }

    /// Returns true if a file does another job than those that are here: the other way, or for another engine.
    fn is_compatible(&self, file: &Known) -> bool {
        let same_job = |known: &&Known| {
            let engines = known.engine.is_none() || file.engine.is_none() || known.engine == file.engine;
            known.parts.name.role == file.parts.name.role && engines
        };
        !self.files.iter().any(|known| same_job(&known))
    }

    /// Returns a file's path at another version.
    pub fn moved(&self, file: &Known, to: &Written) -> String {
        let path = format!("{}/{}", file.folder, file.parts.with_version(&to.folder, &to.raw));
        path.trim_start_matches('/').to_owned()
    }

    /// Returns what is renamed, old and new: files with their options, or the folder of a change.
    pub fn renames(&self, project: &Project, to: &Written) -> Vec<(String, String)> {
        let layout = project.layout();
        let mut renames = Vec::new();
        for file in &self.files {
            let (old, new) = (file.path.clone(), self.moved(file, to));
            if layout == Layout::FolderPerChange {
                let folder =
                    |path: &str| path.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_owned());
                renames.push((folder(&old), folder(&new)));
                continue;
            }
            let option = layout.sidecar(&old).zip(layout.sidecar(&new));
            let option = option.filter(|(old, _)| file.parts.name.role == Role::Up && project.files.has(&old.path));
            renames.extend(option.map(|(old, new)| (old.path, new.path)));
            renames.push((old, new));
        }
        renames.sort();
        renames.dedup();
        renames
    }
}
