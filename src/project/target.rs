//! The database that a command acts on, with everything the settings say about it, resolved once.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::settings::LockMode;
use crate::sql::Dialect;

/// A text that must not be shown. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the secret itself; for handing it to a driver only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A PostgreSQL connection URI or keyword string, as the user wrote it; may hold a password.
    Postgres(Secret),
    /// A SQLite file, absolute; `None` for one in memory.
    Sqlite(Option<PathBuf>),
}

impl Address {
    /// Returns the engine's SQL grammar.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }
}

/// The database that a command acts on.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name in the settings; `None` for a bare URL.
    pub name: Option<String>,
    /// Where it is.
    pub address: Address,
    /// As the user may see it: `sqlite:target/shop.db`. PostgreSQL's engine redacts its own.
    pub shown: String,
    /// The password, if it does not come with the address.
    pub password: Option<Secret>,
    /// The environment that the settings give it.
    pub environment: Option<String>,
    /// The protection that the settings give it.
    pub protected: Option<bool>,
    /// The role that owns what scripts create.
    pub owner_role: Option<String>,
    /// Roles that must exist.
    pub roles: Vec<String>,
    /// The project's schemas; empty for all but the system's and dbbuild's.
    pub schemas: Vec<String>,
    /// How long a statement may wait for a lock; zero waits for ever.
    pub lock_timeout: Duration,
    /// How long a statement may run; zero sets no limit.
    pub statement_timeout: Duration,
    /// How many times a transactional script is tried again.
    pub retries: u32,
    /// What keeps builders apart.
    pub lock: LockMode,
    /// How long to wait for another build.
    pub lock_wait: Option<Duration>,
    /// True if a build of this target writes the baseline; `None` leaves it to the mark.
    pub baseline: Option<bool>,
    /// Where scratch databases are made, if configured.
    pub scratch: Option<Secret>,
    /// CSV seeds of mode `sync` that may run although the target is protected.
    pub sync_seeds: Vec<String>,
    /// Values of variables for environment seeds and access.
    pub variables: BTreeMap<String, String>,
    /// The journal's schema, or the prefix of its tables.
    pub journal_name: String,
    /// The command that runs `pg_dump`, if configured.
    pub pg_dump: Option<Vec<String>>,
    /// The locale of scratch databases, if configured: of the C library, or `icu:…`.
    pub locale: Option<String>,
}

impl Target {
    /// Makes a target with every setting at its default.
    pub fn at(address: Address, shown: impl Into<String>) -> Self {
        Self {
            name: None,
            address,
            shown: shown.into(),
            password: None,
            environment: None,
            protected: None,
            owner_role: None,
            roles: Vec::new(),
            schemas: Vec::new(),
            lock_timeout: Duration::from_secs(5),
            statement_timeout: Duration::ZERO,
            retries: 5,
            lock: LockMode::Session,
            lock_wait: Some(Duration::from_secs(600)),
            baseline: None,
            scratch: None,
            sync_seeds: Vec::new(),
            variables: BTreeMap::new(),
            journal_name: "dbbuild".to_owned(),
            pg_dump: None,
            locale: None,
        }
    }
}
