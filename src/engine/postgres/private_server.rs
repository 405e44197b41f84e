//! A PostgreSQL server of one's own, from installed programs: for scratch databases and for tests.
//!
//! It listens on a socket that only its user can reach, never on a port, and writes nothing through to the
//! disk. Its data stays in the user's cache folder, so that only the first start on a machine has to make it;
//! the server itself stops with the value, unless it is left for people to look at, for a day. A run that was
//! killed leaves a server behind, which the next run stops. Each value has a server to itself, with no role, database or setting in it but those it makes.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use postgres::{Client, Config, NoTls};
use tempfile::TempDir;

use self::account::Account;
use self::cluster::Cluster;
use self::slot::{Home, Slot};
use super::error::Trouble;
use super::programs::{self, Program};
use super::quote::{ident, literal};
use super::redact::Redactor;
use crate::engine::{EngineError, Result};
use crate::host::Host;

mod account;
mod clean;
mod clock;
mod cluster;
pub(in crate::engine::postgres) mod kept;
mod slot;

/// The name of the server's superuser.
pub const SUPERUSER: &str = "dbbuild";

const PORT: u16 = 5432;

/// The longest path of a socket: 104 bytes on macOS and the BSDs with the closing NUL, 108 on Linux.
const LONGEST_SOCKET: usize = 103;

/// A running server; it stops when the value is dropped.
pub struct PrivateServer {
    child: Child,
    cluster: Cluster,
    slot: Slot,
    socket: TempDir,
    major: u32,
    // Last: a home that does not stay goes when everything in it is down.
    _home: Home,
}

impl PrivateServer {
    /// Starts a server of a major version, or of the newest that is installed.
    pub fn start(host: &Host, major: Option<u32>) -> Result<Self> {
        Self::start_with(host, major, Vec::new())
    }

    /// Starts one whose clock is far ahead, where that can be had.
    pub fn start_later(host: &Host, major: Option<u32>) -> Result<Self> {
        let variables = clock::variables().ok_or_else(|| EngineError::Tool {
            message: "there is no libfaketime on this machine".into(),
            hint: "Debian, Ubuntu: `apt install libfaketime`".into(),
        })?;
        Self::start_with(host, major, variables)
    }

    fn start_with(host: &Host, major: Option<u32>, variables: Vec<(String, String)>) -> Result<Self> {
        let programs = installed(host, major)?;
        let temporary = temporary(host);
        let ours = account::own_user(&temporary)?;
        let account = Account::for_server(ours)?;
        let home = Home::of(host, ours, account)?;
        let bin = programs.path.parent().map(Path::to_owned).unwrap_or_default();
        let cluster = |slot: &Slot| Cluster::new(host, &bin, account, slot.data(), slot.file("log"));

        let slot = Slot::take(home.path(), programs.major)?;
        let mut ours = cluster(&slot);
        ours.variables = variables;
        clear_away(&ours)?;
        let socket = socket_folder(&temporary, account)?;
        let child = match Self::begin(&ours, socket.path()) {
            Ok(child) => child,
            // Data of another build of the same major, or a server that cannot be brought back: make it anew.
            Err(_) => {
                ours.remove()?;
                Self::begin(&ours, socket.path())?
            }
        };
        let server = Self { child, cluster: ours, slot, socket, major: programs.major, _home: home };
        collect(server._home.path(), cluster);
        Ok(server)
    }

    fn begin(cluster: &Cluster, socket: &Path) -> Result<Child> {
        let fresh = !cluster.is_made();
        if fresh {
            cluster.make(SUPERUSER)?;
        }
        let mut child = cluster.start(socket)?;
        let cleaned = if fresh {
            Ok(())
        } else {
            connect(socket, "postgres").and_then(|mut client| clean::clean(&mut client, SUPERUSER))
        };
        match cleaned {
            Ok(()) => Ok(child),
            Err(error) => {
                cluster.stop(Some(&mut child))?;
                Err(error)
            }
        }
    }

    /// Returns the server's major version.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// Returns the folder of the server's socket: the host to connect to.
    pub fn socket_folder(&self) -> &Path {
        self.socket.path()
    }

    /// Returns the port, which names the socket within its folder.
    pub fn port(&self) -> u16 {
        PORT
    }

    /// Returns the URL of a database, as the server's superuser.
    pub fn url(&self, database: &str) -> String {
        self.url_as(SUPERUSER, database)
    }

    /// Returns the URL of a database as some role.
    pub fn url_as(&self, role: &str, database: &str) -> String {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let folder = encode(&self.socket.path().to_string_lossy());
        format!("postgresql://{}@/{}?host={folder}&port={PORT}", encode(role), encode(database))
    }

    /// Connects to a database as the server's superuser.
    pub(super) fn connect(&self, database: &str) -> Result<Client> {
        connect(self.socket.path(), database)
    }

    /// Makes an empty database that compares texts byte by byte.
    pub fn create_database(&self, name: &str) -> Result<()> {
        let mut client = self.connect("postgres")?;
        let name = ident(name);
        let create = format!("create database {name} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'");
        client.batch_execute(&create).map_err(sql("creating a database"))
    }

    /// Drops a database if it is there, with whoever is connected to it.
    pub fn drop_database(&self, name: &str) -> Result<()> {
        let mut client = self.connect("postgres")?;
        let drop = format!("drop database if exists {} with (force)", ident(name));
        client.batch_execute(&drop).map_err(sql("dropping a database"))
    }

    /// Makes the roles that are missing, without the right to log in.
    pub fn create_roles<'a>(&self, roles: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let mut client = self.connect("postgres")?;
        roles.into_iter().try_for_each(|role| create_role(&mut client, role, "nologin"))
    }

    /// Makes a role that may do everything, if it is missing: the one that builds, under the name it has elsewhere.
    pub fn create_builder(&self, role: &str) -> Result<()> {
        create_role(&mut self.connect("postgres")?, role, "superuser login")
    }

    /// Lets the server run on when this value and its process are gone, for people to connect to. A run that is made
    /// a day later stops it.
    pub fn leave(self: Arc<Self>) {
        // Without the note the next run stops it: nothing worse.
        self.slot.leave().ok();
        std::mem::forget(self);
    }

    /// Brings the server back to its first state; databases of this program must be gone.
    pub fn clean(&self) -> Result<()> {
        clean::clean(&mut self.connect("postgres")?, SUPERUSER)
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        // What is not stopped now is stopped by the next run.
        self.cluster.stop(Some(&mut self.child)).ok();
        self.slot.touch();
    }
}

fn create_role(client: &mut Client, role: &str, rights: &str) -> Result<()> {
    let statement = format!(
        "do $do$ begin
             if not exists (select from pg_catalog.pg_roles where rolname = {}) then
                 create role {} {rights};
             end if;
         end $do$",
        literal(role),
        ident(role),
    );
    client.batch_execute(&statement).map_err(sql("creating a role"))
}

/// Stops a server that a killed run left on this data, and throws the data away if its server died: with
/// `fsync` off nobody knows what is in it.
fn clear_away(cluster: &Cluster) -> Result<()> {
    let Some(process) = cluster.process() else { return Ok(()) };
    let socket = cluster.socket();
    if cluster.is_ours(process) {
        cluster.stop(None)?;
    } else {
        cluster.remove()?;
    }
    if let Some(folder) = socket.filter(|folder| folder.file_name().is_some_and(is_socket_folder)) {
        // Whether it is still there says nothing; an empty folder left behind hurts nobody.
        for file in [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")] {
            std::fs::remove_file(folder.join(file)).ok();
        }
        std::fs::remove_dir(&folder).ok();
    }
    Ok(())
}

/// Stops what killed runs left in other slots, and removes what was idle for long. Never in the way of a build.
fn collect(home: &Path, cluster: impl Fn(&Slot) -> Cluster) {
    for slot in Slot::free_ones(home) {
        if clear_away(&cluster(&slot)).is_ok() && slot.is_idle() {
            slot.remove();
        }
    }
}

/// Makes the socket's folder: a random name that nobody can prepare, and short enough.
fn socket_folder(temporary: &Path, account: Option<Account>) -> Result<TempDir> {
    let name = format!("/{SOCKET_PREFIX}123456/.s.PGSQL.{PORT}");
    let fits = |folder: &&Path| folder.as_os_str().len() + name.len() <= LONGEST_SOCKET;
    let reached = |folder: &&Path| account.is_none_or(|account| account.reaches(folder));
    let parent = [temporary, Path::new("/tmp")].into_iter().find(|folder| fits(folder) && reached(folder));
    let parent = parent.ok_or_else(|| EngineError::Tool {
        message: format!("{} is too long, or closed, for the socket of a private server", temporary.display()),
        hint: "set TMPDIR to a shorter folder".into(),
    })?;
    let folder = tempfile::Builder::new().prefix(SOCKET_PREFIX).tempdir_in(parent);
    let folder = folder.map_err(|source| EngineError::Io { path: parent.to_owned(), source })?;
    if let Some(account) = account {
        account.own(folder.path())?;
    }
    Ok(folder)
}

const SOCKET_PREFIX: &str = "dbbuild-";

fn is_socket_folder(name: &std::ffi::OsStr) -> bool {
    name.to_string_lossy().starts_with(SOCKET_PREFIX)
}

/// Returns the programs to run a server with: those beside `postgres` must be there too.
fn installed(host: &Host, major: Option<u32>) -> Result<Program> {
    let mut found = programs::find(host, "postgres");
    let beside = |program: &Program, name: &str| program.path.with_file_name(name).is_file();
    found.retain(|program| beside(program, "initdb") && beside(program, "pg_ctl"));
    let fitting = match major {
        Some(major) => found.iter().find(|program| program.major == major),
        None => found.iter().max_by_key(|program| program.major),
    };
    fitting.cloned().ok_or_else(|| missing(major, &found))
}

fn missing(major: Option<u32>, found: &[Program]) -> EngineError {
    let mut majors: Vec<String> = found.iter().map(|program| program.major.to_string()).collect();
    majors.sort();
    majors.dedup();
    let wanted = major.map_or_else(|| "PostgreSQL".to_owned(), |major| format!("PostgreSQL {major}"));
    let others = if majors.is_empty() { String::new() } else { format!(", only of {}", majors.join(", ")) };
    let name = major.map_or_else(String::new, |major| format!("-{major}"));
    let formula = major.map_or_else(String::new, |major| format!("@{major}"));
    EngineError::Tool {
        message: format!("the server programs of {wanted} are not on this machine{others}"),
        hint: format!("Debian, Ubuntu: `apt install postgresql{name}`; macOS: `brew install postgresql{formula}`"),
    }
}

fn connect(socket: &Path, database: &str) -> Result<Client> {
    let mut config = Config::new();
    config.host_path(socket).port(PORT).user(SUPERUSER).dbname(database).application_name("dbbuild");
    config.connect(NoTls).map_err(sql("connecting to the private server"))
}

fn temporary(host: &Host) -> PathBuf {
    if host.temporary.as_os_str().is_empty() { PathBuf::from("/tmp") } else { host.temporary.clone() }
}

fn sql(doing: &'static str) -> impl Fn(postgres::Error) -> EngineError {
    move |error| Trouble::of(&error, &Redactor::default()).own(doing, "the private PostgreSQL server")
}

#[cfg(test)]
pub(super) mod tests;
