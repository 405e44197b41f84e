//! The grammar of a script's file name in the plain layout: `0007_search.postgres.down.sql`.

use super::{Version, VersionError};
use crate::sql::Dialect;

/// What a script's file name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// The ordering key.
    pub version: Version,
    /// What stands between the version and the suffixes: `search`.
    pub name: String,
    /// The engine it is for; `None` for each.
    pub engine: Option<Dialect>,
    /// Whether it makes the version or takes it back.
    pub role: Role,
}

/// Whether a file makes a version or takes it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Makes it.
    Up,
    /// Takes it back.
    Down,
}

/// Why a file name is none of a script's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileNameError {
    /// It has no version.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// Its last suffix looks like an engine's but is none.
    #[error("unknown engine suffix `.{suffix}`")]
    Engine {
        /// The suffix.
        suffix: String,
        /// The suffix that was probably meant, or none.
        meant: Option<&'static str>,
    },
}

impl FileName {
    /// Reads a file's name, `.sql` included.
    pub fn parse(file_name: &str) -> Result<Self, FileNameError> {
        let (stem, engine, role) = suffixes(file_name)?;
        let (version, rest) = Version::split(&stem[letter(stem)..])?;
        Ok(Self { version, name: name_behind(rest), engine, role })
    }

    /// Reads the name of a file whose version is said elsewhere.
    pub fn unnumbered(file_name: &str, version: Version) -> Result<Self, FileNameError> {
        let (stem, engine, role) = suffixes(file_name)?;
        Ok(Self { version, name: stem.to_owned(), engine, role })
    }
}

/// Takes the suffixes off a file's name: what is left, and what they say.
fn suffixes(file_name: &str) -> Result<(&str, Option<Dialect>, Role), FileNameError> {
    let stem = strip_sql(file_name);
    // Some histories have `1_x.up..sql`; the empty suffix says nothing.
    let stem = stem.strip_suffix('.').unwrap_or(stem);
    if let Some((stem, role)) = role_suffix(stem) {
        let (stem, engine) = engine_suffix(stem)?;
        return Ok((stem, engine, role));
    }
    let (stem, engine) = engine_suffix(stem)?;
    // golang-migrate reads nothing behind the role: `1_x.up.db.sql`, `1_x.down.postgres.sql`.
    let behind = if engine.is_some() { Some(stem) } else { stem.rsplit_once('.').map(|(rest, _)| rest) };
    let (stem, role) = behind.and_then(role_suffix).unwrap_or((stem, Role::Up));
    Ok((stem, engine, role))
}

fn role_suffix(stem: &str) -> Option<(&str, Role)> {
    let down = stem.strip_suffix(".down").map(|rest| (rest, Role::Down));
    down.or_else(|| stem.strip_suffix(".up").map(|rest| (rest, Role::Up)))
}

/// Returns how long the letter in front of a version is: some write `V0001.Initial_Schema.sql`.
pub fn letter(file_name: &str) -> usize {
    let rest = file_name.strip_prefix(['V', 'v']);
    usize::from(rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit())))
}

/// Returns what stands between a version and the suffixes, without the separator.
pub fn name_behind(rest: &str) -> String {
    rest.trim_start_matches(['_', '-', '.', ' ']).to_owned()
}

/// Takes `.sql` off a file's name, in any case.
pub fn strip_sql(file_name: &str) -> &str {
    match file_name.len().checked_sub(4) {
        Some(at) if file_name.is_char_boundary(at) && file_name[at..].eq_ignore_ascii_case(".sql") => &file_name[..at],
        _ => file_name,
    }
}

/// Takes an engine's suffix off a name: `search.postgres` is `search` for PostgreSQL.
pub fn engine_suffix(stem: &str) -> Result<(&str, Option<Dialect>), FileNameError> {
    let Some((rest, suffix)) = stem.rsplit_once('.') else { return Ok((stem, None)) };
    let meant = match suffix.to_ascii_lowercase().as_str() {
        "postgres" if suffix == "postgres" => return Ok((rest, Some(Dialect::Postgres))),
        "sqlite" if suffix == "sqlite" => return Ok((rest, Some(Dialect::Sqlite))),
        "postgres" | "postgresql" | "pgsql" | "psql" | "pg" => Some("postgres"),
        "sqlite" | "sqlite3" => Some("sqlite"),
        "mysql" | "mariadb" | "mssql" | "sqlserver" | "oracle" | "duckdb" | "cockroach" | "cockroachdb"
        | "clickhouse" | "db2" => None,
        other => match misspelt(other) {
            Some(engine) => Some(engine),
            None => return Ok((stem, None)),
        },
    };
    Err(FileNameError::Engine { suffix: suffix.to_owned(), meant })
}

/// Returns the engine's suffix that a word was probably meant to be; a word of four letters may be anything.
fn misspelt(word: &str) -> Option<&'static str> {
    let is_near = |engine: &&str| word.len() > 4 && strsim::damerau_levenshtein(engine, word) <= 2;
    ["postgres", "sqlite"].into_iter().find(is_near)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_version_name_engine_and_role() {
        let parse = |name: &str| {
            let parsed = FileName::parse(name).unwrap();
            (parsed.version.to_string(), parsed.name, parsed.engine, parsed.role)
        };
        assert_eq!(parse("0007_search.postgres.sql"), ("7".into(), "search".into(), Some(Dialect::Postgres), Role::Up));
        assert_eq!(parse("9_split.sqlite.down.sql"), ("9".into(), "split".into(), Some(Dialect::Sqlite), Role::Down));
        assert_eq!(parse("10_x.up.sql"), ("10".into(), "x".into(), None, Role::Up));
        assert_eq!(parse("10_x.up..sql"), ("10".into(), "x".into(), None, Role::Up));
        assert_eq!(parse("10_x.up.db.sql"), ("10".into(), "x".into(), None, Role::Up));
        assert_eq!(parse("10_x.up.sql.down.sql"), ("10".into(), "x.up.sql".into(), None, Role::Down));
        assert_eq!(parse("10_x.down.db.sql"), ("10".into(), "x".into(), None, Role::Down));
        assert_eq!(parse("9_x.down.sqlite.sql"), ("9".into(), "x".into(), Some(Dialect::Sqlite), Role::Down));
        assert_eq!(parse("1_to_v1.2.sql"), ("1".into(), "to_v1.2".into(), None, Role::Up));
        assert_eq!(parse("V0001.First.up.sql"), ("1".into(), "First".into(), None, Role::Up));
        assert!(FileName::parse("view.sql").is_err());
        assert_eq!(parse("0001.SQL"), ("1".into(), String::new(), None, Role::Up));
        let error = FileName::parse("1_x.sqlite3.sql").unwrap_err();
        assert_eq!(error, FileNameError::Engine { suffix: "sqlite3".into(), meant: Some("sqlite") });
        let error = FileName::parse("1_x.postgrs.down.sql").unwrap_err();
        assert_eq!(error, FileNameError::Engine { suffix: "postgrs".into(), meant: Some("postgres") });
    }
}
