//! The folder of one private server, taken by one process at a time: roles, settings and tablespaces belong to
//! a whole server, so two builds that shared one would see each other's.
//!
//! `<cache>/postgres-15/1`, `/2`, … each hold `lock` and `data`. The lock is the operating system's, so that it
//! goes with its process, however that ends. A server that was left running for somebody to look at outlives its
//! process: the file `left` says since when, and nobody takes the slot for a day.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::account::Account;
use crate::engine::{EngineError, Result};
use crate::host::Host;

/// How long a server's data is kept without being used.
const IDLE: Duration = Duration::from_secs(14 * 24 * 3600);

/// How long a server that was left for people is theirs.
const LEFT: Duration = Duration::from_secs(24 * 3600);

/// More servers of one major at a time than anybody runs.
const MOST: usize = 256;

/// Where the slots are.
pub enum Home {
    /// In a folder that stays.
    Kept(PathBuf),
    /// In one that goes with this value: nowhere to keep anything.
    Passing(TempDir),
}

impl Home {
    /// Returns the user's cache folder if the server's account can get there, else a folder for temporary files.
    pub fn of(host: &Host, ours: u32, account: Option<Account>) -> Result<Self> {
        let temporary = super::temporary(host);
        let reachable = |folder: &PathBuf| account.is_none_or(|account| account.reaches(folder));
        if let Some(cache) = host.cache.clone().filter(reachable)
            && make_folder(&cache).is_ok()
        {
            return Ok(Self::Kept(cache));
        }
        // Root's home is closed to the account. The name is known to everybody, so whose folder it is matters.
        let shared = temporary.join(format!("dbbuild-{ours}"));
        if host.cache.is_some() && make_folder(&shared).is_ok() && is_private(&shared, ours) {
            return Ok(Self::Kept(shared));
        }
        let passing = tempfile::Builder::new().prefix("dbbuild-").tempdir_in(&temporary).map_err(io(&temporary))?;
        open_to_pass(passing.path())?;
        Ok(Self::Passing(passing))
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Passing(folder) => folder.path(),
        }
    }
}

/// A server's folder that nobody else uses while this value lives.
pub struct Slot {
    folder: PathBuf,
    lock: File,
}

impl Slot {
    /// Takes the first free slot of a major version.
    pub fn take(home: &Path, major: u32) -> Result<Self> {
        let folder = home.join(format!("postgres-{major}"));
        make_folder(&folder)?;
        for number in 1..=MOST {
            if let Some(slot) = Self::try_take(&folder.join(number.to_string()))? {
                slot.touch();
                return Ok(slot);
            }
        }
        Err(EngineError::Tool {
            message: format!("{MOST} private PostgreSQL servers are running already"),
            hint: format!("stop the programs that use {}", folder.display()),
        })
    }

    /// Takes every other slot that is free, of whatever major, for looking after what killed runs left there.
    pub fn free_ones(home: &Path) -> Vec<Self> {
        let majors = entries(home)
            .into_iter()
            .filter(|folder| folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("postgres-")));
        let slots = majors.flat_map(|major| entries(&major)).filter(|slot| slot.join("lock").is_file());
        slots.filter_map(|slot| Self::try_take(&slot).ok().flatten()).collect()
    }

    fn try_take(folder: &Path) -> Result<Option<Self>> {
        make_folder(folder)?;
        let path = folder.join("lock");
        let lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(io(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(EngineError::Io { path, source }),
        }
        // Somebody may have removed the folder between our opening and our locking.
        let ours = lock.metadata().map_err(io(&path))?.ino();
        let current = path.metadata().is_ok_and(|metadata| metadata.ino() == ours);
        let slot = Self { folder: folder.to_owned(), lock };
        Ok((current && !slot.is_left()).then_some(slot))
    }

    /// Notes that the server in it runs on without this process, for people to connect to.
    pub fn leave(&self) -> Result<()> {
        let path = self.left();
        File::create(&path).map(drop).map_err(io(&path))
    }

    /// Returns true if the server in it was left running for people, and not longer ago than they need it. A note that
    /// is older goes.
    fn is_left(&self) -> bool {
        let since = self.left().metadata().and_then(|metadata| metadata.modified());
        match since {
            Ok(since) if since.elapsed().is_ok_and(|age| age < LEFT) => true,
            Ok(_) => {
                std::fs::remove_file(self.left()).ok();
                false
            }
            Err(_) => false,
        }
    }

    fn left(&self) -> PathBuf {
        self.file("left")
    }

    /// Returns where the server's data is.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Returns a file of the slot.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Gives the lock back while the value lives, as the system does for a killed process.
    #[cfg(test)]
    pub fn unlock(&self) {
        self.lock.unlock().ok();
    }

    /// Notes that the slot was used now. A lost note only means an early collection.
    pub fn touch(&self) {
        self.lock.set_modified(SystemTime::now()).ok();
    }

    /// Returns true if nobody used the slot for two weeks.
    pub fn is_idle(&self) -> bool {
        let used = self.lock.metadata().and_then(|metadata| metadata.modified());
        used.is_ok_and(|used| used.elapsed().is_ok_and(|idle| idle > IDLE))
    }

    /// Removes the slot with its data. What cannot be removed now is tried again by a later run.
    pub fn remove(self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().map(|entries| entries.flatten().map(|entry| entry.path()).collect());
    entries.unwrap_or_default()
}

/// Makes a folder that only its owner can list, and that the server's account can pass through, whatever the umask.
fn make_folder(folder: &Path) -> Result<()> {
    let missing: Vec<&Path> =
        folder.ancestors().skip(1).take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o711).create(folder).map_err(io(folder))?;
    missing.into_iter().chain([folder]).try_for_each(open_to_pass)
}

fn open_to_pass(folder: &Path) -> Result<()> {
    let mode = folder.metadata().map_err(io(folder))?.permissions().mode();
    if mode & 0o711 == 0o711 {
        return Ok(());
    }
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode | 0o711)).map_err(io(folder))
}

fn is_private(folder: &Path, ours: u32) -> bool {
    let private = |metadata: std::fs::Metadata| {
        metadata.is_dir() && metadata.uid() == ours && metadata.permissions().mode() & 0o022 == 0
    };
    folder.symlink_metadata().is_ok_and(private)
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> EngineError {
    let path = path.to_owned();
    move |source| EngineError::Io { path, source }
}
