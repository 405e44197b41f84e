//! Files beside a script in which its own tool keeps options.

use super::Layout;

/// A file beside a script, and how to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecar {
    /// Its path, relative to where the script's path is.
    pub path: String,
    key: &'static str,
}

impl Layout {
    /// Returns the file in which the layout's tool keeps a script's options; most scripts have none.
    pub fn sidecar(self, path: &str) -> Option<Sidecar> {
        match self {
            // `run_in_transaction = false`: https://docs.rs/diesel_migrations
            Self::FolderPerChange => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                Some(Sidecar { path: format!("{folder}/metadata.toml"), key: "run_in_transaction" })
            }
            // `executeInTransaction=false`: https://documentation.red-gate.com/fd/script-configuration-files-277578992.html
            Self::Flyway => Some(Sidecar { path: format!("{path}.conf"), key: "executeInTransaction" }),
            Self::Plain
            | Self::DottedFolders
            | Self::Dbmate
            | Self::Goose
            | Self::SqlMigrate
            | Self::Tern
            | Self::Pop => None,
        }
    }
}

impl Sidecar {
    /// Returns true if the file's text asks to run the script outside a transaction.
    pub fn asks_no_transaction(&self, text: &str) -> bool {
        let values = text.lines().filter_map(|line| line.split_once('='));
        let mut own = values.filter(|(key, _)| key.trim() == self.key).map(|(_, value)| value);
        own.any(|value| value.split('#').next().is_some_and(|value| value.trim().eq_ignore_ascii_case("false")))
    }

    /// Returns the text of such a file that asks it.
    pub fn no_transaction_text(&self) -> String {
        format!("{} = false\n", self.key)
    }
}
