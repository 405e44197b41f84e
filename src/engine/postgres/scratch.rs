//! Throwaway databases: where they are made, and how they go again.
//!
//! In this order: the server that the target's `scratch` names, a private server of the target's major version,
//! the target's own server. Promise: nothing is ever made on the server of a protected target.

use std::sync::{Arc, Mutex, PoisonError};

use super::connect::Connector;
use super::private_server::PrivateServer;
use crate::engine::{EngineError, Result};
use crate::event::{Event, Observer};
use crate::project::{Address, Secret, Target};

use self::database::Database;
use self::facts::Facts;

mod database;
mod facts;
mod leftover;
mod locale;

/// A throwaway database: how to reach it, and what removes it when dropped.
pub(super) struct Made {
    /// Leads to the database.
    pub connector: Connector,
    /// Drops it.
    pub keep: Box<dyn Send>,
}

/// Whether the target's own server may serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnServer<'a> {
    /// It may.
    Allowed,
    /// The target is protected.
    Protected,
    /// A script, code object or seed reaches out of its database; which one and how.
    #[allow(dead_code, reason = "whoever reads the scripts decides it; so far nobody does")]
    ReachedBy(&'a str),
}

/// The private servers of an engine; clones share them. One runs from the first need until the last clone and
/// the last database on it are gone.
#[derive(Clone, Default)]
pub(super) struct Servers(Arc<Mutex<Option<Arc<PrivateServer>>>>);

impl Servers {
    /// Returns a server of the major version, with nothing in it unless other scratch databases are in use.
    fn get(
        &self,
        connector: &Connector,
        major: Option<u32>,
        observer: &mut dyn Observer,
    ) -> Result<Arc<PrivateServer>> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let server = Arc::new(PrivateServer::start(&connector.host, major)?);
        *running = Some(Arc::clone(&server));
        Ok(server)
    }
}

/// Makes a throwaway database that is like the target's: same major version, same locale, the roles it needs.
pub(super) fn make(
    connector: &Connector,
    servers: &Servers,
    own: OwnServer<'_>,
    observer: &mut dyn Observer,
) -> Result<Made> {
    let facts = Facts::of(connector);
    if let Some(scratch) = &connector.target.scratch {
        return on_configured(connector, scratch, &facts, own, observer);
    }
    let no_private = match servers.get(connector, facts.major, observer) {
        Ok(server) => return on_private(connector, server, &facts, observer),
        Err(error) => error,
    };
    let mut hints: Vec<String> = no_private.hint().into_iter().collect();
    let why_not_own = match own {
        OwnServer::Protected => "the target is protected, so its server makes none".to_owned(),
        OwnServer::ReachedBy(what) => format!("on the target's server it could do harm: {what}"),
        OwnServer::Allowed => match on_own(connector, &facts, observer) {
            Ok(made) => return Ok(made),
            Err(error) => {
                hints.extend(error.hint());
                error.to_string()
            }
        },
    };
    hints.push("or name a server that may be played with as `scratch` of the target in dbbuild.toml".into());
    let message = format!("there is nowhere to make a scratch database: {no_private}; {why_not_own}");
    Err(EngineError::Tool { message, hint: hints.join("; ") })
}

fn on_configured(
    connector: &Connector,
    scratch: &Secret,
    facts: &Facts,
    own: OwnServer<'_>,
    observer: &mut dyn Observer,
) -> Result<Made> {
    let target = Target { address: Address::Postgres(scratch.clone()), password: None, ..throwaway(&connector.target) };
    let server = Connector::new(&target, &connector.host)?;
    let identity = facts::identity(&mut server.connect()?.client);
    if own == OwnServer::Protected && identity.is_some() && identity == facts.identity {
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
    let database = Database::create(&server, facts, None, None, observer)?;
    Ok(Made { connector: database.connector(), keep: Box::new(database) })
}

fn on_private(
    connector: &Connector,
    server: Arc<PrivateServer>,
    facts: &Facts,
    observer: &mut dyn Observer,
) -> Result<Made> {
    // Scripts may name the role they run as; and `"$user"` must lead where it leads on the target.
    let login = &connector.conninfo.user;
    server.create_builder(login)?;
    let owner = connector.target.owner_role.as_deref();
    owner.map_or(Ok(()), |owner| server.create_builder(owner))?;
    server.create_roles(connector.target.roles.iter().map(String::as_str))?;

    let address = Address::Postgres(Secret::new(server.url_as(login, "postgres")));
    let target = Target { address, password: None, ..throwaway(&connector.target) };
    let mut host = connector.host.clone();
    // Those lead to the target.
    host.variables.retain(|name, _| !name.starts_with("PG"));
    let at = Connector::new(&target, &host)?;
    let database = Database::create(&at, facts, owner, Some(server), observer)?;
    Ok(Made { connector: database.connector(), keep: Box::new(database) })
}

fn on_own(connector: &Connector, facts: &Facts, observer: &mut dyn Observer) -> Result<Made> {
    let mut server = connector.with_database(&facts.database);
    server.target = throwaway(&server.target);
    let owner = connector.target.owner_role.as_deref();
    let database = Database::create(&server, facts, owner, None, observer)?;
    Ok(Made { connector: database.connector(), keep: Box::new(database) })
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
