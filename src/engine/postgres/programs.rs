//! Finds PostgreSQL's own programs on this machine: on the search path, beside `pg_config`, and in the folders
//! where packages put them without telling the search path (Debian does so with the server's programs).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::host::Host;

/// Where packages install the programs; `*` stands for anything within one name.
const USUAL_FOLDERS: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/libexec/postgresql*",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/usr/local/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/opt/homebrew/opt/libpq/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/opt/libpq/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/opt/local/lib/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/Library/PostgreSQL/*/bin",
];

/// One program, as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The file, with symbolic links resolved.
    pub path: PathBuf,
    /// Its major version.
    pub major: u32,
}

/// Returns every program of this name, each once: those on the search path first.
pub fn find(host: &Host, name: &str) -> Vec<Program> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for folder in folders(host) {
        let Ok(path) = folder.join(name).canonicalize() else { continue };
        // Debian's /usr/bin/pg_dump is a script, pg_wrapper, that picks a version by rules of its own.
        let wrapper = path.file_name().is_none_or(|file| file == "pg_wrapper");
        if wrapper || !seen.insert(path.clone()) {
            continue;
        }
        if let Some(major) = version(Command::new(&path).arg("--version")).as_deref().and_then(major_of) {
            found.push(Program { path, major });
        }
    }
    found
}

/// Runs `… --version` and returns what it printed.
pub fn version(command: &mut Command) -> Option<String> {
    let output = command.env("LC_ALL", "C").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Returns the major version in `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
pub fn major_of(version: &str) -> Option<u32> {
    let number = version.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let digits = number.find(|other: char| !other.is_ascii_digit()).unwrap_or(number.len());
    number.get(..digits)?.parse().ok()
}

fn folders(host: &Host) -> Vec<PathBuf> {
    let mut folders = host.search_path();
    let configured = folders.iter().map(|folder| folder.join("pg_config")).find(|file| file.is_file());
    if let Some(folder) = configured.and_then(|file| version(Command::new(file).arg("--bindir"))) {
        folders.push(PathBuf::from(folder));
    }
    folders.extend(USUAL_FOLDERS.iter().flat_map(|pattern| expand(Path::new(pattern))));
    folders
}

/// Returns the folders that match a pattern, the highest name first.
pub fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut matching = vec![PathBuf::new()];
    for part in pattern.components() {
        let part = part.as_os_str().to_string_lossy();
        let Some((head, tail)) = part.split_once('*') else {
            matching.iter_mut().for_each(|folder| folder.push(part.as_ref()));
            continue;
        };
        let within = |folder: &PathBuf| -> Vec<PathBuf> {
            let Ok(entries) = folder.read_dir() else { return Vec::new() };
            let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
            let mut names: Vec<String> = names.filter(|name| name.starts_with(head) && name.ends_with(tail)).collect();
            names.sort_by(|one, other| other.cmp(one));
            names.into_iter().map(|name| folder.join(name)).collect()
        };
        matching = matching.iter().flat_map(within).collect();
    }
    matching.retain(|folder| folder.is_dir());
    matching
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn majors_are_read_from_every_packagers_words() {
        assert_eq!(major_of("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_of("pg_dump (PostgreSQL) 17.0 (Homebrew)"), Some(17));
        assert_eq!(major_of("pg_dump (PostgreSQL) devel"), None);
    }

    #[test]
    fn a_pattern_matches_folders_and_the_highest_comes_first() {
        let root = tempfile::tempdir().unwrap();
        for name in ["pg-13/bin", "pg-15/bin", "other/bin", "pg-14"] {
            std::fs::create_dir_all(root.path().join(name)).unwrap();
        }
        let found = expand(&root.path().join("pg-*/bin"));
        assert_eq!(found, [root.path().join("pg-15/bin"), root.path().join("pg-13/bin")]);
    }

    #[test]
    fn programs_on_the_search_path_come_first_and_wrappers_do_not_count() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let root = tempfile::tempdir().unwrap();
        let program = |file: &str, words: &str| {
            let file = root.path().join(file);
            std::fs::write(&file, format!("#!/bin/sh\necho '{words}'\n")).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        std::fs::create_dir(root.path().join("wrapped")).unwrap();
        program("pg_dump", "pg_dump (PostgreSQL) 99.1");
        program("pg_wrapper", "pg_dump (PostgreSQL) 98.1");
        symlink(root.path().join("pg_wrapper"), root.path().join("wrapped/pg_dump")).unwrap();
        let path = format!("{}:{}", root.path().join("wrapped").display(), root.path().display());
        let host = Host { variables: [("PATH".to_owned(), path)].into(), ..Host::default() };
        let found = find(&host, "pg_dump");
        assert_eq!(found.first().unwrap().major, 99);
        assert!(found.iter().all(|program| program.major != 98));
    }
}
