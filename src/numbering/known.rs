//! Scripts by their paths alone, in a folder or at a commit.

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::Written;
use crate::error::Error;
use crate::project::layout::Parts;
use crate::project::{Base, Project, SettingsError, is_way_down};
use crate::script::{Role, Version};
use crate::sql::Dialect;

/// A script's file, or its way down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The path, relative to the project.
    pub path: String,
    /// The folder of the scripts it is in.
    pub folder: String,
    /// The rest of the path, taken apart.
    pub parts: Parts,
    /// The engine of its folder, its path or its suffix.
    pub engine: Option<Dialect>,
}

impl Known {
    /// Returns its version.
    pub fn version(&self) -> &Version {
        &self.parts.name.version
    }

    /// Returns its version as it is written; as the settings write it where the path has none.
    pub fn written(&self) -> Written {
        let version = self.version().clone();
        if self.parts.raw.is_empty() && self.parts.folder_version().is_none() {
            return Written { folder: String::new(), raw: version.to_string(), version };
        }
        Written { folder: self.parts.folder.clone(), raw: self.parts.raw.clone(), version }
    }
}

/// Returns the folders of a project's scripts, with the engine of those that serve one.
pub fn folders(project: &Project) -> Vec<(String, Option<Dialect>)> {
    // The project's own folder is the empty path, as it is in git.
    let folder = |dialect| Some(project.scripts_folder(dialect)).filter(|folder| *folder != ".").unwrap_or_default();
    let (postgres, sqlite) = (folder(Dialect::Postgres), folder(Dialect::Sqlite));
    if postgres == sqlite {
        return vec![(postgres.to_owned(), None)];
    }
    let own = |dialect: Dialect| project.settings.layout.engine_scripts.contains_key(&dialect.into());
    let engine = |dialect: Dialect| own(dialect).then_some(dialect);
    let all = [(postgres, engine(Dialect::Postgres)), (sqlite, engine(Dialect::Sqlite))];
    // An engine without a folder of its own reads the common one, if there is any.
    let common = project.settings.layout.scripts.is_some();
    let used = all.into_iter().filter(|(_, engine)| engine.is_some() || common);
    used.map(|(folder, engine)| (folder.to_owned(), engine)).collect()
}

/// Picks the scripts out of paths that are relative to the project.
pub fn known<'a>(project: &Project, paths: impl IntoIterator<Item = &'a str>) -> Result<Vec<Known>, SettingsError> {
    let folders = folders(project);
    let ignore = ignored(project)?;
    let mut found = Vec::new();
    for path in paths {
        if !path.to_ascii_lowercase().ends_with(".sql") || ignore.is_match(path) {
            continue;
        }
        let inside = folders.iter().find_map(|(folder, engine)| {
            let rest =
                if folder.is_empty() { Some(path) } else { path.strip_prefix(folder.as_str())?.strip_prefix('/') };
            rest.map(|rest| (folder, *engine, rest))
        });
        let Some((folder, engine, rest)) = inside else { continue };
        if let Some(parts) = project.parts(path, rest) {
            let engine = engine.or(parts.name.engine);
            found.push(Known { path: path.to_owned(), folder: folder.clone(), parts, engine });
        }
    }
    tell_ways_down(&mut found);
    Ok(found)
}

/// Tells the ways down that only their names' ends tell.
fn tell_ways_down(found: &mut [Known]) {
    let name = |known: &Known| known.parts.name.name.clone();
    let ups: Vec<(String, Version, String)> = found
        .iter()
        .filter(|known| name(known).ends_with("_up"))
        .map(|known| (known.folder.clone(), known.version().clone(), name(known)))
        .collect();
    for known in found.iter_mut().filter(|known| known.parts.name.name.ends_with("_down")) {
        let beside = ups.iter().filter(|(folder, version, _)| *folder == known.folder && version == known.version());
        if is_way_down(&known.parts.name.name, beside.map(|(_, _, name)| name.as_str())) {
            known.parts.name.role = Role::Down;
        }
    }
}

fn ignored(project: &Project) -> Result<GlobSet, SettingsError> {
    let wrong = |error: globset::Error| SettingsError::new("settings/ignore", format!("layout.ignore: {error}"));
    let mut globs = GlobSetBuilder::new();
    for glob in &project.settings.layout.ignore {
        globs.add(Glob::new(glob).map_err(wrong)?);
    }
    globs.build().map_err(wrong)
}

/// Returns the scripts in the project's folder, in the order of their versions.
pub fn here(project: &Project) -> Result<Vec<Known>, SettingsError> {
    let mut paths = Vec::new();
    for (folder, _) in folders(project) {
        paths.extend(project.files.walk(&folder).into_iter().map(|found| found.path));
    }
    paths.sort();
    paths.dedup();
    let mut known = known(project, paths.iter().map(String::as_str))?;
    known.sort_by(|a, b| a.version().cmp(b.version()).then_with(|| a.path.cmp(&b.path)));
    Ok(known)
}

/// Returns the scripts whose files are gone because a base stands for them: their versions are taken.
pub fn squashed(project: &Project) -> Result<Vec<Known>, Error> {
    let mut found = Vec::new();
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        let Some(base) = Base::read(project, dialect)? else { continue };
        let gone = base.scripts.iter().filter(|squashed| !project.files.has(&squashed.file));
        let files: Vec<&str> = gone.map(|squashed| squashed.file.as_str()).collect();
        found.extend(known(project, files)?);
    }
    Ok(found)
}
