//! The golden scripts on disk.

use std::path::Path;

use dbbuild::sql::Dialect;

pub struct Script {
    pub name: String,
    pub dialect: Dialect,
    pub text: String,
}

/// All of them, by name.
pub fn scripts() -> Vec<Script> {
    scripts_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql"))
}

/// The `<case>.<dialect>.sql` of a folder.
pub fn scripts_in(folder: &Path) -> Vec<Script> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(name) = file.strip_suffix(".sql") else { continue };
        let dialect = match name.rsplit_once('.') {
            Some((_, "postgres")) => Dialect::Postgres,
            Some((_, "sqlite")) => Dialect::Sqlite,
            _ => panic!("{file} names no dialect"),
        };
        found.push(Script { name: name.into(), dialect, text: std::fs::read_to_string(&path).unwrap() });
    }
    found.sort_by(|left, right| left.name.cmp(&right.name));
    found
}
