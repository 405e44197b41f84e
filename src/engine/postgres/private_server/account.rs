//! The operating system's user that runs a private server: PostgreSQL refuses to run as root.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::engine::{EngineError, Result};

/// A user other than the one that this program runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Returns whom a server must run as: `None` for this program's own user, `postgres` or `nobody` for root.
    pub fn for_server(ours: u32) -> Result<Option<Self>> {
        if ours != 0 {
            return Ok(None);
        }
        let found = ["postgres", "nobody"].into_iter().find_map(Self::named);
        found.map(Some).ok_or_else(|| EngineError::Tool {
            message: "PostgreSQL refuses to run as root, and there is no user postgres or nobody".into(),
            hint: "run dbbuild as an ordinary user, or add a user named postgres".into(),
        })
    }

    fn named(name: &str) -> Option<Self> {
        let ask = |what: &str| {
            let output = Command::new("id").args([what, name]).stderr(Stdio::null()).output().ok()?;
            String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok().filter(|id| *id != 0)
        };
        Some(Self { uid: ask("-u")?, gid: ask("-g")? })
    }

    /// Makes a command run as this user. std clears root's other groups when it changes the user.
    pub fn run(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives a folder to this user.
    pub fn own(self, folder: &Path) -> Result<()> {
        std::os::unix::fs::chown(folder, Some(self.uid), Some(self.gid))
            .map_err(|source| EngineError::Io { path: folder.to_owned(), source })
    }

    /// Returns true if this user can pass through every folder on the way to `folder`.
    pub fn reaches(self, folder: &Path) -> bool {
        folder.ancestors().filter(|ancestor| ancestor.exists()).all(|ancestor| {
            ancestor.metadata().is_ok_and(|metadata| {
                let mode = metadata.permissions().mode();
                mode & 0o001 != 0 || (metadata.uid() == self.uid && mode & 0o100 != 0)
            })
        })
    }
}

/// Returns the user that this program runs as: the owner of a file that it makes, since std does not tell.
pub fn own_user(temporary: &Path) -> Result<u32> {
    let io = |source| EngineError::Io { path: temporary.to_owned(), source };
    let probe = tempfile::tempfile_in(temporary).map_err(io)?;
    Ok(probe.metadata().map_err(io)?.uid())
}
