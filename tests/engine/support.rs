//! What a case works with: a project in a temporary folder, a database, and the built program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::postgres::{self, Database};
use crate::sqlite::{self, File};

/// Makes a module of each case, with a test for each engine.
macro_rules! cases {
    ($($(#[$attribute:meta])* fn $name:ident($case:ident) $body:block)*) => {$(
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn case($case: &crate::support::Case) $body

            #[test]
            fn sqlite() {
                case(&crate::support::Case::on_sqlite());
            }

            #[test]
            fn postgres() {
                if let Some($case) = crate::support::Case::on_postgres() {
                    case(&$case);
                }
            }
        }
    )*};
}

/// The database of a case.
pub enum Home {
    Sqlite(File),
    Postgres(Database),
}

/// A project and a database of its own.
pub struct Case {
    folder: tempfile::TempDir,
    pub home: Home,
}

/// How the program ended and what it said.
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Case {
    pub fn on_sqlite() -> Self {
        let folder = project_folder();
        let home = Home::Sqlite(File(folder.path().join("shop.db")));
        Self::new(folder, home)
    }

    pub fn on_postgres() -> Option<Self> {
        Some(Self::new(project_folder(), Home::Postgres(Database::new()?)))
    }

    fn new(folder: tempfile::TempDir, home: Home) -> Self {
        let case = Self { folder, home };
        case.settings("");
        case
    }

    /// Writes `dbbuild.toml`: a development target and whatever else is said. Without a baseline, unless said.
    pub fn settings(&self, more: &str) {
        let baseline = if more.contains("baseline = true") { "" } else { "baseline = false\n" };
        let (target, rest) = more.split_once("\n[").map_or((more, String::new()), |(a, b)| (a, format!("\n[{b}")));
        let (target, rest) = if target.starts_with('[') { ("", format!("{target}{rest}")) } else { (target, rest) };
        let environment = if target.contains("environment =") { "" } else { "environment = \"development\"\n" };
        let text = format!(
            "[project]\nname = \"shop\"\ndefault-target = \"dev\"\n\n[targets.dev]\nurl = \"{}\"\n\
             {environment}{baseline}{target}\n{rest}",
            self.url()
        );
        self.write("dbbuild.toml", &text);
    }

    /// Returns the database's URL.
    pub fn url(&self) -> String {
        match &self.home {
            Home::Sqlite(_) => "sqlite:shop.db".to_owned(),
            Home::Postgres(database) => database.url.clone(),
        }
    }

    /// Returns the database's name, as `--i-mean` wants it.
    pub fn database(&self) -> String {
        match &self.home {
            Home::Sqlite(_) => "shop".to_owned(),
            Home::Postgres(database) => database.name.clone(),
        }
    }

    /// Makes a role that owns nothing and may do nothing; it goes with the case. PostgreSQL's.
    pub fn reader(&self) -> String {
        match &self.home {
            Home::Sqlite(_) => String::new(),
            Home::Postgres(database) => {
                let url = database.reader();
                let (_, rest) = url.split_once("://").unwrap();
                rest.split(':').next().unwrap().to_owned()
            }
        }
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self.home, Home::Sqlite(_))
    }

    /// Returns what is said differently on each engine.
    pub fn pick<T>(&self, sqlite: T, postgres: T) -> T {
        if self.is_sqlite() { sqlite } else { postgres }
    }

    /// Returns the major version of PostgreSQL's server: what is newer than it is left out of a case.
    pub fn major(&self) -> u32 {
        let number: u32 = self.ask("show server_version_num").parse().unwrap();
        number / 10_000
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn remove(&self, path: &str) {
        std::fs::remove_file(self.path(path)).unwrap();
    }

    pub fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Writes two scripts: a table `customer` and a table `item`.
    pub fn two_scripts(&self) {
        self.write("db/0001_create_customer.sql", CUSTOMER);
        self.write("db/0002_create_item.sql", ITEM);
    }

    /// Returns the program, ready to run in the project's folder with nothing of this process around it.
    pub fn program(&self, arguments: &[&str]) -> Command {
        // A long case may run an optimised program instead of the one built beside the tests.
        let other = std::env::var_os("DBBUILD_TEST_PROGRAM");
        let mut command = Command::new(other.unwrap_or_else(|| env!("CARGO_BIN_EXE_dbbuild").into()));
        command.args(arguments).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.path()).env("XDG_CACHE_HOME", postgres::cache());
        if let Some(folder) = std::env::var_os("TMPDIR") {
            command.env("TMPDIR", folder);
        }
        command
    }

    /// Runs the program.
    pub fn run(&self, arguments: &[&str]) -> Output {
        Output::of(self.program(arguments))
    }

    /// Runs `dbbuild` and wants it to go well.
    pub fn build(&self) -> Output {
        self.run(&[]).exits(0)
    }

    /// Starts the program.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        self.program(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Asks the database something: columns joined by `|`, rows by new lines.
    pub fn ask(&self, query: &str) -> String {
        match &self.home {
            Home::Sqlite(file) => file.ask(query),
            Home::Postgres(database) => database.ask(query),
        }
    }

    /// Runs SQL behind the program's back.
    pub fn execute(&self, sql: &str) {
        match &self.home {
            Home::Sqlite(file) => file.connect().execute_batch(sql).unwrap(),
            Home::Postgres(database) => database.connect().batch_execute(sql).unwrap(),
        }
    }

    /// Returns everything in the database, the journal included.
    pub fn content(&self) -> String {
        match &self.home {
            Home::Sqlite(file) => file.content(),
            Home::Postgres(database) => database.content(),
        }
    }

    /// Returns the names of the project's tables.
    pub fn tables(&self) -> String {
        match &self.home {
            Home::Sqlite(file) => file.tables(),
            Home::Postgres(database) => database.tables(),
        }
    }

    /// Returns the name of one of the journal's tables.
    pub fn journal_table(&self, table: &str) -> String {
        self.pick(format!("dbbuild_{table}"), format!("dbbuild.{table}"))
    }

    /// Returns the journal as `key attempt state statements_done`, in the order written.
    pub fn journal(&self) -> String {
        let table = self.journal_table("journal");
        let rows = self.ask(&format!("select key, attempt, state, statements_done from {table} order by sequence"));
        rows.replace('|', " ")
    }

    /// Returns the versions that are applied, in the order written.
    pub fn applied(&self) -> String {
        let table = self.journal_table("journal");
        let query = format!("select key from {table} where kind = 'script' and state = 'applied' order by sequence");
        self.ask(&query).replace('\n', " ")
    }

    /// Returns the files below a folder of the project with their contents.
    pub fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let root = self.path(folder);
        walkdir::WalkDir::new(&root)
            .into_iter()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let path = entry.path().strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                (path, std::fs::read(entry.path()).unwrap())
            })
            .collect()
    }

    /// Runs something that must not change the database.
    pub fn unchanged<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.content();
        let result = work();
        assert_eq!(self.content(), before, "the database was changed");
        result
    }

    /// Returns when the project's files, a SQLite database among them, were written.
    pub fn times(&self) -> BTreeMap<PathBuf, std::time::SystemTime> {
        let files = walkdir::WalkDir::new(self.folder.path()).into_iter().map(|entry| entry.unwrap().into_path());
        // The lock's file and the folder it is in say nothing about the database.
        let files = files.filter(|path| path.is_file() && !path.to_string_lossy().ends_with("-lock"));
        files.map(|path| (path.clone(), path.metadata().unwrap().modified().unwrap())).collect()
    }

    /// Returns the bytes of a SQLite database's files.
    pub fn bytes(&self) -> Vec<(PathBuf, Vec<u8>)> {
        match &self.home {
            Home::Sqlite(file) => sqlite::files(&file.0),
            Home::Postgres(_) => Vec::new(),
        }
    }
}

impl Output {
    pub fn of(mut command: Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// Wants an exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{self}");
        self
    }

    /// Wants a text in what was printed for people.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "no {text:?} in\n{self}");
        self
    }

    /// Wants a text not to be printed.
    #[track_caller]
    pub fn does_not_say(self, text: &str) -> Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "{text:?} in\n{self}");
        self
    }

    /// Returns the one JSON document on stdout.
    #[track_caller]
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// Returns the JSON events on stdout.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let event = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{self}"));
        self.stdout.lines().map(event).collect()
    }
}

impl From<std::process::Output> for Output {
    fn from(output: std::process::Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {:?}\nstdout:\n{}\nstderr:\n{}", self.code, self.stdout, self.stderr)
    }
}

/// Sends a signal to a process.
pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn project_folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("dbbuild-case-").tempdir().unwrap();
    // The private server's account reads nothing here, but COPY in scripts may name files beside it.
    std::fs::create_dir_all(Path::new(folder.path()).join("db")).unwrap();
    folder
}

pub const CUSTOMER: &str = "\
create table if not exists customer (
    id integer primary key,
    name text not null
);
";

pub const ITEM: &str = "\
create table if not exists item (
    id integer primary key,
    customer_id integer not null references customer (id)
);
";
