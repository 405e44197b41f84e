//! A build as a script for `psql`: the engine's own claims, guards and journal rows, with `\gset` and `\if` for what
//! the engine does in between.
//!
//! Promise: run again, the script changes nothing; stopped half-way, it goes on where it was.

use super::connect::Connector;
use super::journal::Journal;
use super::link::DISCARD;
use super::lock;
use super::passfile::Found;
use super::prepare::write_mark;
use super::programs;
use super::quote::literal;
use super::settings::set;
use crate::engine::offline::{Offline, Premise, Ran, comment, feed, unindented};
use crate::engine::{EngineError, Mode, Result, Unit};
use crate::interrupt::Interrupt;
use crate::journal::{NewEntry, Run};
use crate::project::LockMode;

mod body;
mod claim;
mod premise;
mod psql;

use body::Body;

/// Writes scripts for `psql`.
pub(super) struct Psql<'a> {
    connector: &'a Connector,
    journal: Journal,
}

impl<'a> Psql<'a> {
    pub(super) fn new(connector: &'a Connector) -> Self {
        Self { connector, journal: Journal::new(&connector.target.journal_name) }
    }

    /// Returns the statements that give the session the settings that the engine's own sessions have.
    fn settings(&self) -> String {
        let target = &self.connector.target;
        let mut text = String::from("set client_encoding = 'UTF8';\n");
        let own = self.connector.settings();
        let is_known = |name: &str| name != "search_path" || !target.schemas.is_empty();
        text.extend(own.iter().filter(|(name, _)| is_known(name)).map(|(name, value)| set(name, value)));
        if target.schemas.is_empty() {
            // The server's default begins with "$user": a role that is called like the journal would build into it,
            // and who will run the script is not known.
            let journal = literal(&self.journal.name);
            let owner = target.owner_role.as_deref().unwrap_or_default();
            text.push_str(&format!(
                "select pg_catalog.set_config('search_path', case when {journal} in (session_user, {}) then 'public' \
                 else pg_catalog.current_setting('search_path') end, false) as dbbuild_path\n\\gset\n",
                literal(owner)
            ));
        }
        text
    }
}

/// What `psql` must be like: a `.psqlrc` or the command line may have said otherwise.
const SHELL: &str = r"\set ON_ERROR_STOP on
\set ON_ERROR_ROLLBACK off
\set AUTOCOMMIT on
\set SINGLELINE off
\set SINGLESTEP off
\set QUIET on
\pset pager off
";

impl Offline for Psql<'_> {
    fn shell(&self) -> &'static str {
        "psql"
    }

    fn usage(&self) -> Vec<String> {
        vec![
            "Run it:  psql -X -f FILE DATABASE".to_owned(),
            "It stops at the first error and can then be run again; run again when it is done, it changes nothing."
                .to_owned(),
            "Not with `psql -1`: each script is a transaction of its own, together with its row in the journal."
                .to_owned(),
        ]
    }

    fn head(&self, premise: &Premise<'_>) -> Result<String> {
        let schema = &self.journal.schema;
        let mut text = SHELL.to_owned();
        text.push_str(&self.settings());
        if self.connector.target.lock == LockMode::Session {
            let (class, object) = lock::key(&self.journal.name);
            text.push_str(&format!(
                "\n-- The build lock: it goes with the session.\n\
                 select pg_catalog.pg_try_advisory_lock({class}, {object}) as dbbuild_locked\n\\gset\n\
                 \\if :dbbuild_locked\n\\else\n{}\\endif\n",
                premise::raise("another build is at work in this database", "run the script again when it is done")
            ));
        }
        text.push('\n');
        text.push_str(&premise::checks(&self.journal, &self.connector.target, premise));
        if let Some(mark) = premise.first {
            let mark = mark.map(|mark| write_mark(&self.journal, mark, true)).unwrap_or_default();
            text.push_str(&format!(
                "\n-- The journal.\n\
                 select pg_catalog.to_regclass({}) is null as dbbuild_new\n\\gset\n\
                 \\if :dbbuild_new\n{}begin isolation level read committed read write;\n{}\n{mark}commit;\n\\endif\n",
                literal(&format!("{schema}.journal")),
                psql::echo("journal"),
                unindented(&self.journal.create())
            ));
        }
        Ok(text)
    }

    fn unit(&self, unit: &Unit, run: &Run) -> Result<String> {
        let body = Body::new(self.connector, &self.journal, unit);
        match unit.mode {
            Mode::Statements => body.statements(run, &self.settings()),
            // Foreign keys cannot be off here, and need not.
            Mode::Transaction | Mode::ForeignKeysOff => body.transaction(run, &self.settings()),
        }
    }

    fn record(&self, entry: &NewEntry, run: &Run) -> String {
        format!("{};\n", claim::record(&self.journal, entry, run))
    }

    fn tail(&self) -> String {
        let unlock = match self.connector.target.lock {
            LockMode::Session => {
                let (class, object) = lock::key(&self.journal.name);
                format!(
                    "select pg_catalog.pg_advisory_unlock({class}, {object}) as dbbuild_locked\n\\gset\n{}",
                    psql::echo("done")
                )
            }
            LockMode::Claim => psql::echo("done"),
        };
        format!("{}{DISCARD}{unlock}", comment("The end."))
    }

    fn run(&self, script: &str, interrupt: &Interrupt) -> Result<Option<Ran>> {
        let host = &self.connector.host;
        let Some(program) = programs::find(host, "psql").into_iter().next() else { return Ok(None) };
        let info = &self.connector.conninfo;
        let mut command = std::process::Command::new(&program.path);
        command.args(["--no-psqlrc", "--quiet", "--no-password"]).env_clear();
        // Where to connect is settled; what else PG* variables say would change the connection.
        command.envs(host.variables.iter().filter(|(name, _)| !name.starts_with("PG")));
        command.env("PGUSER", &info.user).env("PGDATABASE", &info.database);
        if let Some(server) = info.servers.first() {
            command.env("PGHOST", &server.host).env("PGPORT", server.port.to_string());
            if let Found::Password(password) = self.connector.password(server) {
                command.env("PGPASSWORD", password);
            }
        }
        let io = |source| EngineError::Io { path: program.path.clone(), source };
        feed(&mut command, script, interrupt).map(Some).map_err(io)
    }
}
