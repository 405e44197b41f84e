//! Runs statements twice on a private PostgreSQL server.

use dbbuild::engine::PrivateServer;
use dbbuild::host::Host;
use dbbuild::script::{Guard, Object, RunIf, Test, Text, cut};
use dbbuild::sql::Dialect;
use postgres::{Client, NoTls, SimpleQueryMessage};

use crate::Truth;

/// A server, and a number for the next database. Making a database costs more than most cases, so one that can be
/// emptied serves the next case as well.
pub struct Server {
    server: PrivateServer,
    next: u32,
    empty: Option<Empty>,
}

/// A database that was emptied, and what it looks like then.
struct Empty {
    name: String,
    client: Client,
    /// The query for the state: its plan takes longer than its rows.
    query: postgres::Statement,
    state: String,
}

impl Server {
    /// Starts the server; `None` without PostgreSQL.
    pub fn start() -> Option<Self> {
        let variables = std::env::var("PATH").map(|path| [("PATH".to_owned(), path)].into()).unwrap_or_default();
        let temporary = std::env::temp_dir();
        let cache = Some(temporary.join("dbbuild-test-servers"));
        let host = Host { variables, cache, temporary, user: Some("dbbuild".into()), ..Host::default() };
        PrivateServer::start(&host, None).ok().map(|server| Self { server, next: 0, empty: None })
    }

    /// Runs the setup, then the text twice; returns what the second run did and where the first one ended.
    pub fn twice(&mut self, setup: &str, text: &str) -> Result<(Truth, String), String> {
        let mut database = match self.empty.take() {
            Some(database) => database,
            None => self.database(),
        };
        let result = Self::twice_on(&mut database, setup, text);
        if database.empties() {
            self.empty = Some(database);
        } else {
            let Empty { name, client, .. } = database;
            drop(client);
            self.server.drop_database(&name).unwrap();
            // Roles and subscriptions belong to the server.
            self.server.clean().unwrap();
        }
        result
    }

    fn database(&mut self) -> Empty {
        self.next += 1;
        let name = format!("truth_{}", self.next);
        self.server.create_database(&name).unwrap();
        let mut client = Client::connect(&self.server.url(&name), NoTls).unwrap();
        let query = client.prepare(include_str!("state.sql")).unwrap();
        let state = state(&mut client, &query);
        Empty { name, client, query, state }
    }

    fn twice_on(database: &mut Empty, setup: &str, text: &str) -> Result<(Truth, String), String> {
        let Empty { client, query, .. } = database;
        client.batch_execute(setup).map_err(|error| format!("setup: {}", shown(&error)))?;
        run(client, text)?;
        let first = state(client, query);
        if run(client, text).is_err() {
            return Ok((Truth::Fails, first));
        }
        let second = state(client, query);
        Ok((if first == second { Truth::Nothing } else { Truth::Changes }, first))
    }
}

impl super::history::Runner for Server {
    fn begin(&mut self) {
        if let Some(Empty { name, client, .. }) = self.empty.take() {
            drop(client);
            self.server.drop_database(&name).unwrap();
            self.server.clean().unwrap();
        }
        self.empty = Some(self.database());
    }

    fn run(&mut self, text: &str) -> Result<String, String> {
        let Empty { client, query, .. } = self.empty.as_mut().unwrap();
        let result = run_or_raw(client, text);
        client.batch_execute("rollback").unwrap();
        client.batch_execute("reset session authorization; reset role; reset all").unwrap();
        client.batch_execute("discard temp").unwrap();
        result.map(|()| state(client, query))
    }

    fn again(&mut self, text: &str, before: &str) -> (Truth, String) {
        let Empty { client, query, .. } = self.empty.as_mut().unwrap();
        let script = Text::of_file("2.sql", text.to_owned());
        let outside = cut(&script, Dialect::Postgres, &[]).is_ok_and(|cut| cut.no_transaction) || refuses(&script);
        let compared = |state: String| (if state == before { Truth::Nothing } else { Truth::Changes }, state);
        if outside {
            return self.run(text).map_or_else(|error| (Truth::Fails, error), compared);
        }
        client.batch_execute("begin").unwrap();
        // Deferred constraints speak at the end.
        let deferred = |client: &mut Client| client.batch_execute("set constraints all immediate");
        let result = parts(client, text).and_then(|()| deferred(client).map_err(|error| shown(&error)));
        let truth = match result {
            Err(error) => (Truth::Fails, error),
            Ok(()) => {
                client.batch_execute("reset role").unwrap();
                compared(state(client, query))
            }
        };
        client.batch_execute("rollback").unwrap();
        client.batch_execute("reset session authorization; reset role; reset all").unwrap();
        client.batch_execute("discard temp").unwrap();
        truth
    }
}

/// Whether a script cannot be run in a transaction as it is.
fn refuses(script: &Text) -> bool {
    cut(script, Dialect::Postgres, &[]).is_err()
}

/// Runs a script; one that the tool would refuse runs as psql would run it.
fn run_or_raw(client: &mut Client, text: &str) -> Result<(), String> {
    if !refuses(&Text::of_file("2.sql", text.to_owned())) {
        return run(client, text);
    }
    for statement in dbbuild::sql::Statements::new(text, Dialect::Postgres) {
        let statement = statement.map_err(|error| error.to_string())?;
        client.batch_execute(statement.span.text(text)).map_err(|error| shown(&error))?;
    }
    Ok(())
}

impl Empty {
    /// Empties it; false if something stays.
    fn empties(&mut self) -> bool {
        // A database with a subscription cannot even be dropped, so they go by themselves.
        let whole = [include_str!("subscriptions.sql"), include_str!("empty.sql")];
        let texts = ["rollback", "reset session authorization", "reset all", "discard temp"].into_iter().chain(whole);
        let emptied = texts.into_iter().try_for_each(|text| self.client.batch_execute(text));
        emptied.is_ok() && state(&mut self.client, &self.query) == self.state
    }
}

fn shown(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}

fn run(client: &mut Client, text: &str) -> Result<(), String> {
    let script = Text::of_file("2.sql", text.to_owned());
    let outside = cut(&script, Dialect::Postgres, &[]).map_err(|faults| format!("{faults:?}"))?.no_transaction;
    if outside {
        return parts(client, text);
    }
    client.batch_execute("begin").map_err(|error| shown(&error))?;
    if let Err(error) = parts(client, text) {
        client.batch_execute("rollback").map_err(|error| shown(&error))?;
        return Err(error);
    }
    client.batch_execute("commit").map_err(|error| shown(&error))
}

/// Runs the parts of a script that their guards let run.
fn parts(client: &mut Client, text: &str) -> Result<(), String> {
    let script = Text::of_file("2.sql", text.to_owned());
    let cut = cut(&script, Dialect::Postgres, &[]).map_err(|faults| format!("{faults:?}"))?;
    let mut groups = std::collections::BTreeMap::new();
    for part in &cut.parts {
        let mut runs = true;
        for index in &part.guards {
            let guard = &cut.guards[*index].guard;
            let answer = match groups.get(index) {
                Some(answer) => *answer,
                None => asks(client, guard),
            };
            if guard.group {
                groups.insert(*index, answer);
            }
            runs &= answer;
        }
        if runs {
            client.batch_execute(part.span.text(text)).map_err(|error| shown(&error))?;
        }
    }
    Ok(())
}

fn asks(client: &mut Client, guard: &Guard) -> bool {
    let query = match &guard.test {
        Test::Query(query) => query.clone(),
        Test::Object(Object::Column, name) => {
            let (table, column) = split(name);
            format!(
                "select 1 from pg_attribute where attrelid = to_regclass('{table}') and attname = '{column}' and not attisdropped"
            )
        }
        Test::Object(Object::Constraint, name) => {
            let (table, name) = split(name);
            format!("select 1 from pg_constraint where conrelid = to_regclass('{table}') and conname = '{name}'")
        }
        Test::Object(_, name) => format!("select 1 where to_regclass('{name}') is not null"),
    };
    let rows = client.simple_query(&query).unwrap();
    let present = rows.iter().any(|row| matches!(row, SimpleQueryMessage::Row(_)));
    present == (guard.run == RunIf::Present)
}

/// A table as it is written, and the bare name of what is in it.
fn split(name: &str) -> (&str, &str) {
    let (table, part) = match name.strip_suffix('"').and_then(|rest| rest.rfind(".\"")) {
        Some(at) => (&name[..at], &name[at + 1..]),
        None => name.rsplit_once('.').unwrap(),
    };
    (table, part.trim_matches('"'))
}

/// The catalog as text, without what differs from run to run, and the rows of every table.
fn state(client: &mut Client, query: &postgres::Statement) -> String {
    // A dropped schema makes it be planned again, which takes ten times as long as its rows.
    let settings = "set jit = off; set plan_cache_mode = force_generic_plan; set join_collapse_limit = 1";
    client.batch_execute(settings).unwrap();
    let rows = client.query(query, &[]).unwrap();
    let mut all: Vec<String> = rows.iter().map(|row| row.get::<_, Option<String>>(0).unwrap_or_default()).collect();
    all.sort();
    all.join("\n")
}
