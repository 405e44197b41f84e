//! Which files are scripts, one of each version with its way down, and which are code objects.

use std::collections::BTreeMap;

use super::files::{Ignore, name_fault, serves, usable};
use crate::project::layout::{engine_folder, is_named_folder};
use crate::project::{FoundKind, Layout, PathRole, Project, is_way_down};
use crate::script::{Fault, FileName, Role, Version};
use crate::sql::Dialect;

/// A file with a script's name.
pub struct Named {
    /// The file, relative to the project.
    pub file: String,
    /// What its name says.
    pub name: FileName,
    /// The file that takes it back.
    pub down: Option<String>,
}

/// What the folder of the scripts holds for an engine.
pub struct Found {
    /// The scripts, in the order of their versions.
    pub named: Vec<Named>,
    /// The files of the code objects, those of the code folder among them, sorted.
    pub code: Vec<String>,
    /// The versions of the scripts for other engines.
    pub elsewhere: Vec<Version>,
}

/// Finds them. Two scripts of one version are a fault; where `twins` are asked for, it goes there and both stay.
pub fn find(
    project: &Project,
    dialect: Dialect,
    ignore: &Ignore,
    faults: &mut Vec<Fault>,
    mut twins: Option<&mut Vec<Fault>>,
) -> Found {
    let mut all = Sorted { prefers_own: project.layout().prefers_own(), ..Sorted::default() };
    all.code = code_files(project, dialect, ignore, faults);
    all.walk(project, dialect, ignore, faults);
    let mut named = Vec::with_capacity(all.ups.len());
    for (version, files) in std::mem::take(&mut all.ups) {
        let mut files = all.without_ways_down(files);
        if files.len() > 1 {
            let fault = two_of_one_version(&version, &files);
            match &mut twins {
                Some(twins) => {
                    twins.push(fault);
                    named.extend(files);
                }
                None => faults.push(fault),
            }
        } else if let Some(mut only) = files.pop() {
            only.down = all.downs.remove(&version).map(|named| named.file);
            named.push(only);
        }
    }
    all.code.sort();
    all.code.dedup();
    Found { named, code: all.code, elsewhere: all.elsewhere }
}

/// The files by what they are for.
#[derive(Default)]
struct Sorted {
    /// True if an engine's own file stands in for the common one of its version.
    prefers_own: bool,
    ups: BTreeMap<Version, Vec<Named>>,
    downs: BTreeMap<Version, Named>,
    code: Vec<String>,
    elsewhere: Vec<Version>,
}

impl Sorted {
    /// Takes in the folder of the scripts.
    fn walk(&mut self, project: &Project, dialect: Dialect, ignore: &Ignore, faults: &mut Vec<Fault>) {
        let folder = project.scripts_folder(dialect);
        let mut found = project.files.walk(folder);
        // A folder that is a change may be called `20240418_x.sql`.
        found.retain(|found| found.kind != FoundKind::Folder || project.layout() != Layout::FolderPerChange);
        for file in usable(found, &["sql"], ignore, faults) {
            let inside = file.strip_prefix(folder).unwrap_or(&file).trim_start_matches('/');
            if is_named_folder(inside) {
                continue;
            }
            let (inside, of_folder) = engine_folder(inside);
            let is_ours = |engine: Option<Dialect>| engine.or(of_folder).is_none_or(|engine| engine == dialect);
            match project.role(&file, inside) {
                PathRole::Skip => {}
                PathRole::Code(engine) if is_ours(engine) => self.code.push(file),
                PathRole::Code(_) => {}
                PathRole::Fault(error) => faults.push(name_fault(&file, &error)),
                PathRole::Script(name) if !is_ours(name.engine) => self.elsewhere.push(name.version),
                PathRole::Script(name) => {
                    let engine = name.engine.or(of_folder);
                    self.script(Named { file, name: FileName { engine, ..name }, down: None });
                }
            }
        }
    }

    fn script(&mut self, named: Named) {
        match named.name.role {
            Role::Up => self.ups.entry(named.name.version.clone()).or_default().push(named),
            Role::Down => self.way_down(named),
        }
    }

    /// Keeps a way down; an engine's own goes first where the layout has it so.
    fn way_down(&mut self, named: Named) {
        let version = named.name.version.clone();
        if !self.prefers_own || named.name.engine.is_some() || !self.downs.contains_key(&version) {
            self.downs.insert(version, named);
        }
    }

    /// Returns the scripts of one version that are for this engine; those whose name says that they take another one
    /// back are kept as its way down.
    fn without_ways_down(&mut self, mut files: Vec<Named>) -> Vec<Named> {
        if self.prefers_own && files.iter().any(|named| named.name.engine.is_some()) {
            files.retain(|named| named.name.engine.is_some());
        }
        let names: Vec<String> = files.iter().map(|named| named.name.name.clone()).collect();
        let is_down = |named: &Named| is_way_down(&named.name.name, names.iter().map(String::as_str));
        let (ways_down, files): (Vec<Named>, Vec<Named>) = files.into_iter().partition(is_down);
        ways_down.into_iter().for_each(|named| self.way_down(named));
        files
    }
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

fn code_files(project: &Project, dialect: Dialect, ignore: &Ignore, faults: &mut Vec<Fault>) -> Vec<String> {
    let found = usable(project.files.walk(&project.code_folder()), &["sql"], ignore, faults);
    found.into_iter().filter(|file| serves(file, dialect, faults)).collect()
}
