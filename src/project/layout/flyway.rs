//! Flyway's names: a letter, a version, two underscores, a description.
//! <https://documentation.red-gate.com/fd/migrations-271585107.html>

use super::PathRole;
use crate::script::{FileName, FileNameError, Role, Version, VersionError, engine_suffix, strip_sql};

/// Folders are searched to any depth and say nothing. `B` (the state that a new database may start from) is left
/// out: dbbuild makes its own baseline. Where the history begins with one, `init` gives it its version. Callbacks are left out too, since they are no part of the history.
pub fn role(path: &str) -> PathRole {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = match engine_suffix(strip_sql(file)) {
        Ok(parsed) => parsed,
        Err(error) => return PathRole::Fault(error),
    };
    let (stem, engine) = stem;
    if stem.starts_with("R__") {
        return PathRole::Code(engine);
    }
    let missing = || PathRole::Fault(FileNameError::Version(VersionError::Missing(file.to_owned())));
    let Some((letter, raw, description)) = split(stem) else {
        return if is_callback(stem) { PathRole::Skip } else { missing() };
    };
    let role = match letter {
        'V' => Role::Up,
        'U' => Role::Down,
        _ => return PathRole::Skip,
    };
    match version(raw) {
        Some(version) => PathRole::Script(FileName { version, name: description.to_owned(), engine, role }),
        None => missing(),
    }
}

/// Splits `V1_2__name` into its letter, its version as written and its description.
pub fn split(stem: &str) -> Option<(char, &str, &str)> {
    let letter = stem.chars().next().filter(|letter| matches!(letter, 'V' | 'U' | 'B'))?;
    let (raw, description) = stem[1..].split_once("__")?;
    version(raw).map(|_| (letter, raw, description))
}

/// Returns the version of a name that has this letter.
pub fn version_of(stem: &str, letter: char) -> Option<Version> {
    split(stem).filter(|(own, ..)| *own == letter).and_then(|(_, raw, _)| version(raw))
}

/// Reads `1`, `1.2` or `1_2`: dots and underscores are the same.
fn version(raw: &str) -> Option<Version> {
    let numbers = raw.split(['.', '_']).map(str::parse).collect::<Result<Vec<u128>, _>>();
    numbers.ok().and_then(Version::from_numbers)
}

/// Returns true for the names that Flyway calls around its work: `beforeMigrate`, `afterEachMigrate__reset`.
fn is_callback(stem: &str) -> bool {
    let event = stem.split_once("__").map_or(stem, |(event, _)| event);
    let rest = event.strip_prefix("before").or_else(|| event.strip_prefix("after"));
    event == "createSchema" || rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
}
