//! What the library may know of the machine it runs on, as one value: the command line fills it from the
//! process, an embedding program or a test from wherever it likes.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Environment variables, folders and names that connecting and finding programs depend on.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// The environment variables, `DATABASE_URL`, `PGHOST`, `PATH` and the like.
    pub variables: BTreeMap<String, String>,
    /// The user's home folder, for `.pgpass`, `.pg_service.conf` and `.postgresql/`.
    pub home: Option<PathBuf>,
    /// Where scratch servers and templates may be kept between runs.
    pub cache: Option<PathBuf>,
    /// Where temporary files go.
    pub temporary: PathBuf,
    /// The name of the operating system's user, PostgreSQL's default user name.
    pub user: Option<String>,
    /// What tells this build of the program from others of the same version: what one of them kept in the cache
    /// does not serve another.
    pub program: Option<String>,
}

impl Host {
    /// Returns a variable's value unless it is unset or empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the folders in which programs are looked for.
    pub fn search_path(&self) -> Vec<PathBuf> {
        self.variable("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default()
    }
}
