//! The server's programs at work on one data folder: `initdb`, `postgres`, `pg_ctl`.

use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::account::Account;
use crate::engine::{EngineError, Result};
use crate::host::Host;

/// How often a starting or stopping server is looked at.
const POLL: Duration = Duration::from_millis(5);

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// Settings of the command line win over every file, so data made by an older program serves as well.
/// Nothing here survives a power cut, and nothing needs to.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "max_wal_size=4GB",
    // Within the data, and gone with them: what a killed server leaves in /dev/shm nobody takes away.
    "dynamic_shared_memory_type=mmap",
    // A baseline is loaded in one transaction, which locks every object that it makes.
    "max_locks_per_transaction=1024",
    // As large as a real one may be: scripts that publish tables or make slots run here too.
    "wal_level=logical",
    "autovacuum=off",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "datestyle=ISO, MDY",
    "intervalstyle=postgres",
    "lc_messages=C",
    "lc_monetary=C",
    "lc_numeric=C",
    "lc_time=C",
    "default_text_search_config=pg_catalog.english",
    "logging_collector=off",
    "log_destination=stderr",
];

/// One data folder and the programs for it.
pub struct Cluster {
    programs: PathBuf,
    account: Option<Account>,
    data: PathBuf,
    log: PathBuf,
    libraries: Vec<(String, String)>,
    /// What else the server's environment has.
    pub variables: Vec<(String, String)>,
}

impl Cluster {
    /// Names the folder and the programs. Nothing is run yet.
    pub fn new(host: &Host, programs: &Path, account: Option<Account>, data: PathBuf, log: PathBuf) -> Self {
        let libraries = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];
        let libraries = libraries.into_iter().filter_map(|name| Some((name.into(), host.variable(name)?.to_owned())));
        Self {
            programs: programs.to_owned(),
            account,
            data,
            log,
            libraries: libraries.collect(),
            variables: Vec::new(),
        }
    }

    /// Returns true if there is data to start from.
    pub fn is_made(&self) -> bool {
        self.data.join("PG_VERSION").is_file()
    }

    /// Makes the data folder. It gets its name last, so what has the name is complete.
    pub fn make(&self, superuser: &str) -> Result<()> {
        let new = self.data.with_extension("new");
        remove(&new)?;
        let io = |source| EngineError::Io { path: new.clone(), source };
        std::fs::DirBuilder::new().mode(0o700).create(&new).map_err(io)?;
        if let Some(account) = self.account {
            account.own(&new)?;
        }
        let mut initdb = self.program("initdb");
        initdb.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username", superuser]);
        initdb.arg("--text-search-config=english").arg("-D").arg(&new);
        let output = initdb.output().map_err(|error| self.cannot_run("initdb", &error))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            remove(&new)?;
            return Err(failed(format!("initdb failed: {said}")));
        }
        std::fs::rename(&new, &self.data).map_err(io)
    }

    /// Returns the data folder.
    #[cfg(test)]
    pub fn data_folder(&self) -> &Path {
        &self.data
    }

    /// Removes the data folder.
    pub fn remove(&self) -> Result<()> {
        remove(&self.data)
    }

    /// Starts the server and waits until it lets people in.
    pub fn start(&self, socket: &Path) -> Result<Child> {
        // What ALTER SYSTEM left behind.
        let altered = self.data.join("postgresql.auto.conf");
        std::fs::write(&altered, "").map_err(|source| EngineError::Io { path: altered.clone(), source })?;
        let log = || File::options().append(true).open(&self.log);
        let log = File::create(&self.log).and_then(|_| Ok((log()?, log()?)));
        let (out, err) = log.map_err(|source| EngineError::Io { path: self.log.clone(), source })?;
        let mut postgres = self.program("postgres");
        postgres.envs(self.variables.iter().cloned());
        postgres.arg("-D").arg(&self.data);
        postgres.args(SETTINGS.iter().flat_map(|setting| ["-c", *setting]));
        postgres.arg("-c").arg(format!("unix_socket_directories=\"{}\"", socket.display()));
        // A group of its own: Ctrl-C on the terminal is ours to act on.
        postgres.stdout(out).stderr(err).process_group(0);
        let mut child = postgres.spawn().map_err(|error| self.cannot_run("postgres", &error))?;
        let began = Instant::now();
        while !self.is_ready() {
            let gone = child.try_wait().map_err(|error| self.cannot_run("postgres", &error))?;
            if gone.is_some() || began.elapsed() > PATIENCE {
                let why = self.last_words();
                if gone.is_none() {
                    self.stop(Some(&mut child))?;
                }
                return Err(failed(format!("the private PostgreSQL server does not start: {why}")));
            }
            std::thread::sleep(POLL);
        }
        Ok(child)
    }

    /// Stops the server if it runs: that of this program, or one that a killed run left.
    pub fn stop(&self, child: Option<&mut Child>) -> Result<()> {
        for mode in ["fast", "immediate"] {
            let mut pg_ctl = self.program("pg_ctl");
            pg_ctl.args(["stop", "-W", "-s", "-m", mode, "-D"]).arg(&self.data);
            pg_ctl.output().map_err(|error| self.cannot_run("pg_ctl", &error))?;
            let began = Instant::now();
            while self.process().is_some() && began.elapsed() < PATIENCE / 2 {
                std::thread::sleep(POLL);
            }
            if self.process().is_none() {
                break;
            }
        }
        // Takes the process's end note, so that it does not stay as a zombie.
        child.map_or(Ok(()), |child| child.wait().map(drop)).map_err(|error| self.cannot_run("postgres", &error))
    }

    /// Returns the server's process as `postmaster.pid` names it; that file goes last when a server stops.
    pub fn process(&self) -> Option<u32> {
        self.note().first()?.trim().parse().ok()
    }

    /// Returns the folder of the server's socket, as `postmaster.pid` names it.
    pub fn socket(&self) -> Option<PathBuf> {
        self.note().get(4).map(|line| line.trim().trim_matches('"')).filter(|line| !line.is_empty()).map(PathBuf::from)
    }

    /// Returns true if the process of that number is a server on this data, and not one that got its number later.
    pub fn is_ours(&self, process: u32) -> bool {
        let Ok(data) = self.data.canonicalize() else { return false };
        if Path::new("/proc/self").exists() {
            // A server's working folder is its data.
            return std::fs::read_link(format!("/proc/{process}/cwd")).is_ok_and(|folder| folder == data);
        }
        let ps = Command::new("ps").args(["-ww", "-o", "command=", "-p", &process.to_string()]).output();
        ps.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(&*self.data.to_string_lossy()))
    }

    fn is_ready(&self) -> bool {
        self.note().get(7).is_some_and(|line| line.trim() == "ready")
    }

    /// `postmaster.pid`: process, data, start, port, socket folder, address, memory, state.
    /// <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/utils/pidfile.h>
    fn note(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn last_words(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("; ")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.envs(self.libraries.iter().cloned()).current_dir("/").stdin(Stdio::null());
        if let Some(account) = self.account {
            account.run(&mut command);
        }
        command
    }

    fn cannot_run(&self, name: &str, error: &std::io::Error) -> EngineError {
        failed(format!("cannot run {}: {error}", self.programs.join(name).display()))
    }
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(EngineError::Io { path: folder.to_owned(), source })
        }
        _ => Ok(()),
    }
}

fn failed(message: String) -> EngineError {
    EngineError::Tool { message, hint: "set `scratch` of the target to a server that may be played with".into() }
}
