//! PostgreSQL 13 and later.
//!
//! Promise: the driver's types and errors end in this folder; nothing secret leaves it.

mod attempt;
mod blockers;
mod cancel;
mod catalog;
mod code;
mod connect;
mod conninfo;
mod contents;
mod database;
mod dump;
mod error;
mod fused;
mod guard;
mod heal;
mod held;
mod inspect;
mod journal;
mod link;
mod load;
mod lock;
mod measured;
mod near;
mod offline;
mod passfile;
mod prepare;
mod private_server;
mod programs;
mod progress;
mod quote;
mod redact;
mod reset;
mod roles;
mod run;
mod scratch;
mod seed;
mod service;
mod session;
mod settings;
mod statements;
mod stop;
mod tls;
mod traceless;
mod transaction;
mod trial;
mod watched;

use super::{Access, Engine, Mode, Offline, Result, RowFile, Scratch, ScratchWish, Session, Unit};
use crate::event::Observer;
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::project::{LockMode, Secret, Target};
use crate::sql::Dialect;
use connect::Connector;
#[doc(hidden)]
pub use private_server::PrivateServer;
use scratch::Servers;
use session::PostgresSession;

/// Opens the engine. Nothing is connected yet.
pub(super) fn open(target: &Target, host: &Host, interrupt: &Interrupt) -> Result<Box<dyn Engine>> {
    let connector = Connector::new(target, host)?;
    Ok(Box::new(PostgresEngine { connector, interrupt: interrupt.clone(), servers: Servers::default() }))
}

/// PostgreSQL with one of its databases.
pub(super) struct PostgresEngine {
    connector: Connector,
    interrupt: Interrupt,
    servers: Servers,
}

impl Engine for PostgresEngine {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn judge(&self, unit: &Unit) -> Result<()> {
        guard::refuse_unanswerable(unit)?;
        match self.connector.target.lock {
            LockMode::Claim if unit.mode == Mode::Statements => Err(statements::needs_session_lock(unit)),
            LockMode::Claim | LockMode::Session => Ok(()),
        }
    }

    fn describe(&self) -> String {
        self.connector.shown()
    }

    fn database(&self) -> String {
        self.connector.conninfo.database.clone()
    }

    fn is_local(&self) -> bool {
        self.connector.conninfo.is_local()
    }

    fn connect(&self, access: Access) -> Result<Box<dyn Session>> {
        Ok(Box::new(PostgresSession::open(&self.connector, &self.interrupt, access)?))
    }

    fn exists(&self) -> Result<bool> {
        database::exists(&self.connector)
    }

    fn create(&self) -> Result<bool> {
        database::create(&self.connector)
    }

    fn drop_database(&self) -> Result<bool> {
        database::drop(&self.connector)
    }

    fn scratch(&self, wish: &ScratchWish<'_>, observer: &mut dyn Observer) -> Result<Scratch> {
        let made = scratch::make(&self.connector, &self.servers, wish, observer)?;
        Ok(made.into_scratch(&self.interrupt, &self.servers))
    }

    fn url(&self) -> Secret {
        self.connector.url()
    }

    fn row_file(&self, file: Box<dyn std::io::BufRead>) -> Option<RowFile> {
        dump::cells(file)
    }

    fn offline(&self) -> Box<dyn Offline + '_> {
        Box::new(offline::Psql::new(&self.connector))
    }
}

#[cfg(test)]
mod tests;
