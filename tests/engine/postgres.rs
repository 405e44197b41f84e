//! A PostgreSQL database as the cases see it, through a connection of their own.

use std::sync::{Arc, Mutex, Weak};

use dbbuild::engine::{EngineError, PrivateServer};
use dbbuild::host::Host;
use postgres::{Client, NoTls, SimpleQueryMessage};

/// Where databases are made.
enum Server {
    Private(Box<PrivateServer>),
    /// The URL of a database on a server that may be played with.
    Given(String),
}

static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// The folder of everything that private servers keep between runs.
pub fn cache() -> std::path::PathBuf {
    std::env::temp_dir().join("dbbuild-test-servers")
}

fn server() -> Option<Arc<Server>> {
    let mut shared = SHARED.lock().unwrap();
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = match std::env::var("DBBUILD_TEST_POSTGRES") {
        Ok(url) if !url.is_empty() => Server::Given(url),
        _ => {
            let variables = std::env::var("PATH").map(|path| [("PATH".to_owned(), path)].into()).unwrap_or_default();
            let host = Host { variables, cache: Some(cache()), temporary: std::env::temp_dir(), ..Host::default() };
            match PrivateServer::start(&host, None) {
                Ok(server) => Server::Private(Box::new(server)),
                Err(EngineError::Tool { message, .. }) if std::env::var_os("CI").is_none() => {
                    eprintln!("skipped: {message}");
                    return None;
                }
                Err(error) => panic!("{error}"),
            }
        }
    };
    let server = Arc::new(server);
    *shared = Arc::downgrade(&server);
    Some(server)
}

impl Server {
    fn url(&self, database: &str) -> String {
        match self {
            Self::Private(server) => server.url(database),
            Self::Given(url) => with_database(url, database),
        }
    }
}

/// Puts another database into a URL.
fn with_database(url: &str, database: &str) -> String {
    let (front, query) = url.split_once('?').map_or((url, None), |(front, query)| (front, Some(query)));
    let (scheme, rest) = front.split_once("://").expect("DBBUILD_TEST_POSTGRES is a URL");
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    format!("{scheme}://{authority}/{database}{query}")
}

/// A database; it goes when the value is dropped.
pub struct Database {
    server: Arc<Server>,
    pub name: String,
    pub url: String,
    roles: Mutex<Vec<String>>,
}

impl Database {
    /// Makes a database, or says that PostgreSQL is not installed.
    pub fn new() -> Option<Self> {
        let server = server()?;
        let name = format!("case_{:x}", fastrand::u64(..));
        let url = server.url(&name);
        let database = Self { server, name, url, roles: Mutex::default() };
        database.create();
        Some(database)
    }

    pub fn create(&self) {
        let create = format!("create database {} template template0 encoding 'UTF8' lc_collate 'C'", self.name);
        connect(&self.server.url("postgres")).batch_execute(&create).unwrap();
    }

    pub fn drop_database(&self) {
        let drop = format!("drop database if exists {} with (force)", self.name);
        connect(&self.server.url("postgres")).batch_execute(&drop).unwrap();
    }

    pub fn connect(&self) -> Client {
        connect(&self.url)
    }

    pub fn ask(&self, query: &str) -> String {
        rows(&mut self.connect(), query)
    }

    /// Makes a role that may log in and do nothing else, and returns the URL for it.
    pub fn reader(&self) -> String {
        let role = format!("reader_{:x}", fastrand::u64(..));
        let create = format!("create role {role} login password 'reader'");
        self.connect().batch_execute(&create).unwrap();
        self.roles.lock().unwrap().push(role.clone());
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
        format!("{scheme}://{role}:reader@{rest}")
    }

    /// Everything in the database, as text: what is the same before and after was not touched.
    pub fn content(&self) -> String {
        let mut client = self.connect();
        let mut text = rows(
            &mut client,
            "select n.nspname, c.relname, c.relkind,
                    (select string_agg(a.attname || ' ' || a.atttypid::regtype || ' ' || a.attnotnull, ', '
                                       order by a.attnum)
                       from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
                    c.xmin
               from pg_class c join pg_namespace n on n.oid = c.relnamespace
              where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
              order by 1, 2",
        );
        text += &rows(&mut client, "select proname, prosrc from pg_proc where oid >= 16384 order by 1");
        let tables = rows(
            &mut client,
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables
              where schemaname not in ('pg_catalog', 'information_schema') order by 1",
        );
        for table in tables.lines() {
            text += &format!("\n{table}\n{}", rows(&mut client, &format!("select t::text from {table} t order by 1")));
        }
        text
    }

    pub fn tables(&self) -> String {
        self.ask("select tablename from pg_tables where schemaname = 'public' order by 1").replace('\n', " ")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A test that failed has its own message; what cannot be dropped goes with the server.
        let Ok(mut client) = Client::connect(&self.server.url("postgres"), NoTls) else { return };
        client.batch_execute(&format!("drop database if exists {} with (force)", self.name)).ok();
        for role in self.roles.lock().unwrap().iter() {
            client.batch_execute(&format!("drop role if exists {role}")).ok();
        }
    }
}

fn connect(url: &str) -> Client {
    Client::connect(url, NoTls).unwrap_or_else(|error| panic!("{error:?}"))
}

fn rows(client: &mut Client, query: &str) -> String {
    let messages = client.simple_query(query).unwrap_or_else(|error| panic!("{query}: {error:?}"));
    let lines = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            let values: Vec<&str> = (0..row.len()).map(|at| row.get(at).unwrap_or_default()).collect();
            Some(values.join("|"))
        }
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}
