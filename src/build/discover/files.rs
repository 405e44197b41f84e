//! The files of a folder that may be read, and what is wrong with the others.

use crate::project::{Found, FoundKind, Project, SettingsError};
use crate::script::{Fault, FileNameError, engine_suffix};
use crate::sql::Dialect;

/// Files to leave alone.
pub struct Ignore(globset::GlobSet);

impl Ignore {
    /// Reads the globs of the settings.
    pub fn new(project: &Project) -> Result<Self, SettingsError> {
        let mut globs = globset::GlobSetBuilder::new();
        for glob in &project.settings.layout.ignore {
            let wrong =
                |error: globset::Error| SettingsError::new("settings/ignore", format!("layout.ignore: {error}"));
            globs.add(globset::Glob::new(glob).map_err(wrong)?);
        }
        let set = globs.build();
        Ok(Self(set.map_err(|error| SettingsError::new("settings/ignore", error.to_string()))?))
    }

    fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

/// Keeps the files with an extension that may be read, and tells of those that may not.
pub fn usable(found: Vec<Found>, extensions: &[&str], ignore: &Ignore, faults: &mut Vec<Fault>) -> Vec<String> {
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

/// Returns true if a file's engine suffix, or an engine's folder on its path, does not say otherwise.
pub fn serves(file: &str, dialect: Dialect, faults: &mut Vec<Fault>) -> bool {
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

/// Words what is wrong with a file's name.
pub fn name_fault(file: &str, error: &FileNameError) -> Fault {
    let hint = match error {
        FileNameError::Engine { meant: Some(meant), .. } => format!("the suffix is `.{meant}`"),
        FileNameError::Engine { meant: None, .. } => "the engines are `.postgres` and `.sqlite`; for another one add the file to `ignore` under `[layout]`".into(),
        FileNameError::Version(_) => "begin its name with a version (`dbbuild new-version` makes one), or add it to `ignore` under `[layout]` in dbbuild.toml".into(),
    };
    Fault::new("script/name", file, error.to_string()).hint(hint)
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
