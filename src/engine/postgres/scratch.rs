//! Throwaway databases: where they are made, and how they go again.
//!
//! In this order: the server that the target's `scratch` names, a private server of the target's major version,
//! the target's own server. Promises: nothing is ever made on the server of a protected target, and nothing that
//! reaches out of its database is run beside the target's. Builds are kept as templates on the first two only:
//! the target's own server is left as it was found.

use std::sync::{Arc, Mutex, PoisonError};

use super::PostgresEngine;
use super::connect::Connector;
use super::private_server::PrivateServer;
use crate::engine::{Clock, EngineError, Result, Scratch, ScratchWish, Throwaway};
use crate::event::{Event, Observer};
use crate::interrupt::Interrupt;
use crate::project::{Address, Secret, Target};

use self::database::Database;
use self::facts::Facts;
use self::template::Template;

mod database;
mod facts;
mod leftover;
mod locale;
mod template;

/// A throwaway database: how to reach it, and what removes it when dropped.
pub(super) struct Made {
    /// Leads to the database.
    pub connector: Connector,
    /// Which clock its server has.
    clock: Clock,
    /// The database.
    database: Database,
}

impl Made {
    fn new(database: Database) -> Self {
        Self { connector: database.connector(), clock: Clock::Own, database }
    }

    /// Joins it with an engine.
    pub fn into_scratch(self, interrupt: &Interrupt, servers: &Servers) -> Scratch {
        let (interrupt, servers) = (interrupt.clone(), servers.clone());
        let engine =
            PostgresEngine { connector: self.connector, interrupt: interrupt.clone(), servers: servers.clone() };
        let place = Place { database: self.database, interrupt, servers };
        Scratch::new(Box::new(engine), Box::new(place)).with_clock(self.clock)
    }
}

/// Where a throwaway database is.
struct Place {
    database: Database,
    interrupt: Interrupt,
    servers: Servers,
}

impl Throwaway for Place {
    fn copy(&mut self) -> Result<Option<Scratch>> {
        let copy = self.database.copy()?;
        Ok(copy.map(|copy| Made::new(copy).into_scratch(&self.interrupt, &self.servers)))
    }

    fn keep(&mut self) {
        self.database.keep();
    }

    fn leave(&mut self) {
        self.database.leave();
    }
}

/// The private servers of an engine, one for each clock; clones share them. One runs from the first need until the last clone and
/// the last database on it are gone.
#[derive(Clone, Default)]
pub(super) struct Servers(Arc<Mutex<[Option<Arc<PrivateServer>>; 2]>>);

impl Servers {
    /// Returns a server of the major version, with nothing in it unless other scratch databases are in use.
    fn get(
        &self,
        connector: &Connector,
        major: Option<u32>,
        clock: Clock,
        observer: &mut dyn Observer,
    ) -> Result<Arc<PrivateServer>> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [own, other] = &mut *running;
        let running = if clock == Clock::Own { own } else { other };
        if let Some(server) = running.take_if(|server| major.is_some_and(|major| major != server.major())) {
            drop(server);
        }
        if let Some(server) = running.as_ref() {
            // Roles outlive their databases, and the next build must not meet those of the last one.
            if Arc::strong_count(server) > 1 || server.clean().is_ok() {
                return Ok(Arc::clone(server));
            }
            *running = None;
        }
        observer.event(Event::Progress {
            name: "scratch".into(),
            message: "starting a private PostgreSQL server".into(),
            done: None,
        });
        let server = Arc::new(match clock {
            Clock::Own => PrivateServer::start(&connector.host, major)?,
            Clock::Other => PrivateServer::start_later(&connector.host, major)?,
        });
        *running = Some(Arc::clone(&server));
        Ok(server)
    }
}

/// Makes a throwaway database on a server of the target's major version, with the roles that it needs.
pub(super) fn make(
    connector: &Connector,
    servers: &Servers,
    wish: &ScratchWish<'_>,
    observer: &mut dyn Observer,
) -> Result<Made> {
    let facts = Facts::of(connector);
    if let Some(scratch) = &connector.target.scratch {
        return on_configured(connector, scratch, &facts, wish);
    }
    // Another clock is a wish; without the means for it the own one serves.
    if wish.clock == Clock::Other
        && let Ok(server) = servers.get(connector, facts.major, Clock::Other, observer)
    {
        let made = on_private(connector, server, wish)?;
        return Ok(Made { clock: Clock::Other, ..made });
    }
    let no_private = match servers.get(connector, facts.major, Clock::Own, observer) {
        Ok(server) => return on_private(connector, server, wish),
        Err(error) => error,
    };
    let mut hints: Vec<String> = no_private.hint().into_iter().collect();
    let why_not_own = if wish.protected {
        "the target is protected, so its server makes none".to_owned()
    } else if let Some(what) = (wish.reaches)() {
        format!("on the target's server it could do harm: {what}")
    } else {
        match on_own(connector, &facts) {
            Ok(made) => return Ok(made),
            Err(error) => {
                hints.extend(error.hint());
                error.to_string()
            }
        }
    };
    hints.push("or name a server that may be played with as `scratch` of the target in dbbuild.toml".into());
    let message = format!("there is nowhere to make a scratch database: {no_private}; {why_not_own}");
    Err(EngineError::Tool { message, hint: hints.join("; ") })
}

fn on_configured(connector: &Connector, scratch: &Secret, facts: &Facts, wish: &ScratchWish<'_>) -> Result<Made> {
    let target = Target { address: Address::Postgres(scratch.clone()), password: None, ..throwaway(&connector.target) };
    let server = Connector::new(&target, &connector.host)?;
    let client = &mut server.connect()?.client;
    let identity = facts::identity(client);
    if wish.protected && identity.is_some() && identity == facts.identity {
        return Err(EngineError::Refused {
            code: "scratch/protected",
            message: format!(
                "`scratch` of the target names the target's own server, {}, and the target is protected",
                server.shown()
            ),
            place: None,
            hint: Some("name another server, one that may be played with".into()),
        });
    }
    // A server where the target's database is too is somebody's: it is left as it was found.
    let keeps = identity.is_some() && identity != facts.identity;
    let template = match wish.template.filter(|_| keeps) {
        Some(template) => Template::on_shared(client, template, connector),
        None => None,
    };
    let mut database = Database::create(&server, None, None, template)?;
    if keeps {
        database.takes_roles((wish.roles)());
    }
    Ok(Made::new(database))
}

fn on_private(connector: &Connector, server: Arc<PrivateServer>, wish: &ScratchWish<'_>) -> Result<Made> {
    // Scripts may name the role they run as; and `"$user"` must lead where it leads on the target.
    let login = &connector.conninfo.user;
    let owner = connector.target.owner_role.as_deref();
    // Before the roles are made: a template has its own.
    let template = wish.template.and_then(|template| Template::on_private(&server, template, connector));
    server.create_builder(login)?;
    owner.map_or(Ok(()), |owner| server.create_builder(owner))?;
    server.create_roles(connector.target.roles.iter().map(String::as_str))?;

    let address = Address::Postgres(Secret::new(server.url_as(login, "postgres")));
    let target = Target { address, password: None, ..throwaway(&connector.target) };
    let mut host = connector.host.clone();
    // Those lead to the target.
    host.variables.retain(|name, _| !name.starts_with("PG"));
    let at = Connector::new(&target, &host)?;
    let database = Database::create(&at, owner, Some(server), template)?;
    Ok(Made::new(database))
}

fn on_own(connector: &Connector, facts: &Facts) -> Result<Made> {
    let mut server = connector.with_database(&facts.database);
    server.target = throwaway(&server.target);
    let owner = connector.target.owner_role.as_deref();
    let database = Database::create(&server, owner, None, None)?;
    Ok(Made::new(database))
}

/// Returns the target's settings for a database that nobody owns: not protected, and no scratch beside scratch.
fn throwaway(target: &Target) -> Target {
    Target {
        name: None,
        environment: None,
        protected: Some(false),
        baseline: Some(false),
        scratch: None,
        ..target.clone()
    }
}

#[cfg(test)]
mod tests;
