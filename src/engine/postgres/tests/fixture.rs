//! A database of its own for each test, and units from a line of SQL.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use crate::engine::postgres::PostgresEngine;
use crate::engine::postgres::connect::Connector;
use crate::engine::postgres::private_server::PrivateServer;
use crate::engine::{Access, Engine, EngineError, Mode, Outcome, Session, Unit, Wait};
use crate::event::{Event, Observer};
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::journal::{Kind, NewEntry, Run, Stored};
use crate::project::{Address, Secret, Target};
use crate::script::{Text, Version, cut, token_checksum};
use crate::sql::Dialect;

static SHARED: Mutex<Weak<PrivateServer>> = Mutex::new(Weak::new());

pub fn host() -> Host {
    let variables = std::env::var("PATH").map(|path| [("PATH".to_owned(), path)].into()).unwrap_or_default();
    let temporary = std::env::temp_dir();
    let cache = Some(temporary.join("dbbuild-test-servers"));
    Host { variables, cache, temporary, user: Some("dbbuild".into()), ..Host::default() }
}

fn server() -> Option<Arc<PrivateServer>> {
    let mut shared = SHARED.lock().unwrap();
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    match PrivateServer::start(&host(), None) {
        Ok(server) => {
            let server = Arc::new(server);
            *shared = Arc::downgrade(&server);
            Some(server)
        }
        Err(EngineError::Tool { message, .. }) if std::env::var_os("CI").is_none() => {
            #[allow(clippy::print_stderr)]
            {
                eprintln!("skipped: {message}");
            }
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// One database. It goes when the value is dropped.
pub struct Database {
    pub server: Arc<PrivateServer>,
    pub name: String,
    pub target: Target,
    pub interrupt: Interrupt,
}

/// Makes a database, or says that the test is skipped because PostgreSQL is not installed.
pub fn database() -> Option<Database> {
    let server = server()?;
    let name = format!("test_{:x}", fastrand::u64(..));
    server.create_database(&name).unwrap();
    let mut target = Target::at(Address::Postgres(Secret::new(server.url(&name))), "test");
    target.retries = 3;
    target.lock_timeout = Duration::from_millis(500);
    Some(Database { server, name, target, interrupt: Interrupt::default() })
}

impl Database {
    pub fn engine(&self) -> PostgresEngine {
        let connector = Connector::new(&self.target, &host()).unwrap();
        PostgresEngine { connector, interrupt: self.interrupt.clone(), servers: Default::default() }
    }

    /// Opens a session that may write, with its journal there.
    pub fn session(&self) -> Box<dyn Session> {
        let mut session = self.engine().connect(Access::Write).unwrap();
        session.prepare(None, false).unwrap();
        session
    }

    /// The same, with the build lock.
    pub fn builder(&self) -> Box<dyn Session> {
        let mut session = self.session();
        session.exclusive(Wait { limit: Some(Duration::from_secs(60)) }, &mut crate::event::Silent).unwrap();
        session
    }

    /// Asks the database something, on a connection of its own.
    pub fn ask(&self, query: &str) -> String {
        let mut client = self.server.connect(&self.name).unwrap();
        let answers = client.simple_query(query).unwrap_or_else(|error| panic!("{query}: {error:?}"));
        let rows = super::super::link::rows(&answers);
        let line = |row: &postgres::SimpleQueryRow| {
            (0..row.len()).map(|at| row.get(at).unwrap_or("∅")).collect::<Vec<_>>().join(" ")
        };
        rows.map(line).collect::<Vec<_>>().join("\n")
    }

    /// The journal as `key attempt state done`, in order.
    pub fn journal(&self) -> String {
        self.ask("select key, attempt, state, statements_done from dbbuild.journal order by sequence")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.server.drop_database(&self.name).ok();
    }
}

pub fn run(id: &str) -> Run {
    Run { id: id.into(), tool_version: "0.1.0".into(), source_revision: None }
}

/// A script that is ready to run, as the pipeline makes it.
pub fn unit(version: &str, text: &str) -> Unit {
    let version: Version = version.parse().unwrap();
    let text = Text::of_file(&format!("db/{version}_test.sql"), text.to_owned());
    let cut = cut(&text, Dialect::Postgres, &[]).unwrap_or_else(|faults| panic!("{faults:?}"));
    Unit {
        entry: NewEntry {
            project: "test".into(),
            kind: Kind::Script,
            key: version.to_string(),
            order_key: version.order_key(),
            attempt: 1,
            name: "test".into(),
            checksum: text.checksum(),
            token_checksum: token_checksum(text.as_str(), Dialect::Postgres),
            text: Some(text.as_str().to_owned()),
            state: Stored::Applied,
            statements: cut.parts.len().try_into().unwrap(),
            objects: Vec::new(),
        },
        parts: cut.parts,
        guards: cut.guards,
        mode: if cut.no_transaction { Mode::Statements } else { Mode::Transaction },
        lock_timeout: cut.lock_timeout,
        statement_timeout: cut.statement_timeout,
        running: None,
        suspends: cut.suspends,
        isolation: cut.isolation,
        double_quoted_text: cut.double_quoted_text,
        fusible: cut.fusible,
        text,
    }
}

/// Everything that was told.
#[derive(Default)]
pub struct Heard(pub Vec<Event>);

impl Observer for Heard {
    fn event(&mut self, event: Event) {
        self.0.push(event);
    }
}

/// Runs one unit.
pub fn apply(session: &mut dyn Session, unit: &Unit) -> Result<Outcome, EngineError> {
    let mut outcomes = session.apply(std::slice::from_ref(unit), &run("run"), &mut crate::event::Silent)?;
    assert_eq!(outcomes.len(), 1);
    Ok(outcomes.remove(0))
}

/// Runs one unit that must go well.
pub fn applied(session: &mut dyn Session, unit: &Unit) -> crate::engine::Applied {
    match apply(session, unit) {
        Ok(Outcome::Applied(applied)) => applied,
        other => panic!("{other:?}"),
    }
}

/// Runs one unit that the database must refuse; returns code, message and place.
pub fn failed(session: &mut dyn Session, unit: &Unit) -> crate::engine::UnitFailure {
    match apply(session, unit) {
        Err(EngineError::Unit(failure)) => *failure,
        other => panic!("{other:?}"),
    }
}
