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
use crate::engine::{Builder, Clock, EngineError, Result, Scratch, ScratchWish, Throwaway};
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

/// The builders of private servers that no text names.
const NOBODY: &str = "dbbuild_builder";
const ANOTHER: &str = "dbbuild_builder_2";

/// A throwaway database: how to reach it, and what removes it when dropped.
pub(super) struct Made {
    /// Leads to the database.
    pub connector: Connector,
    /// Which clock its server has.
    clock: Clock,
    /// The role that builds, if the texts name it or ask for it.
    named_builder: Option<String>,
    /// The target's login, if it does not build and is no role there yet.
    login: Option<String>,
    /// The database.
    database: Database,
}

impl Made {
    fn new(database: Database) -> Self {
        Self { connector: database.connector(), clock: Clock::Own, named_builder: None, login: None, database }
    }

    /// Says if its builder is one that the texts name or ask for; an owner role is the project's to choose.
    fn built_by_its_login(self, wish: &ScratchWish<'_>) -> Self {
        let builder = &self.connector.conninfo.user;
        let has_owner = self.connector.target.owner_role.is_some();
        let is_named = !has_owner && ((wish.names)(builder) || asks_who(wish));
        Self { named_builder: is_named.then(|| builder.clone()), ..self }
    }

    /// Joins it with an engine.
    pub fn into_scratch(self, interrupt: &Interrupt, servers: &Servers) -> Scratch {
        let (interrupt, servers) = (interrupt.clone(), servers.clone());
        let path_user = self.connector.path_user().map(str::to_owned);
        let engine =
            PostgresEngine { connector: self.connector, interrupt: interrupt.clone(), servers: servers.clone() };
        let place = Place { database: self.database, login: self.login, clock: self.clock, interrupt, servers };
        let scratch = Scratch::new(Box::new(engine), Box::new(place)).with_clock(self.clock);
        scratch.with_roles(self.named_builder, path_user)
    }
}

/// Where a throwaway database is.
struct Place {
    database: Database,
    login: Option<String>,
    clock: Clock,
    interrupt: Interrupt,
    servers: Servers,
}

impl Throwaway for Place {
    fn copy(&mut self) -> Result<Option<Scratch>> {
        let copy = self.database.copy()?;
        Ok(copy.map(|copy| Made::new(copy).into_scratch(&self.interrupt, &self.servers)))
    }

    fn with_login(&mut self, failed: &EngineError) -> Result<Option<Scratch>> {
        let Some(login) = self.login.take_if(|login| lacks_role(failed, login)) else { return Ok(None) };
        let Some(database) = self.database.anew_with_role(&login)? else { return Ok(None) };
        let made = Made { clock: self.clock, ..Made::new(database) };
        Ok(Some(made.into_scratch(&self.interrupt, &self.servers)))
    }

    fn keep(&mut self) {
        self.database.keep();
    }

    fn keep_itself(&mut self) {
        self.database.keep_itself();
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
        return on_configured(connector, scratch, &facts, wish).map(|made| made.built_by_its_login(wish));
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
            Ok(made) => return Ok(made.built_by_its_login(wish)),
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
    let path_user = named_path_user(connector, &server.conninfo.user, wish);
    let server = Connector { path_user, ..server };
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
        Some(template) => {
            let key = format!("{template} {} {:?}", server.conninfo.user, server.path_user);
            Template::on_shared(client, &key, connector)
        }
        None => None,
    };
    let mut database = Database::create(&server, None, None, template)?;
    database.takes_roles((wish.roles)());
    Ok(Made::new(database))
}

fn on_private(connector: &Connector, server: Arc<PrivateServer>, wish: &ScratchWish<'_>) -> Result<Made> {
    let login = &connector.conninfo.user;
    let is_named = (wish.names)(login);
    let builder = match wish.builder {
        Builder::Login if is_named || asks_who(wish) => login,
        Builder::Login | Builder::Nobody => NOBODY,
        Builder::Another => ANOTHER,
    };
    let owner = connector.target.owner_role.as_deref();
    let path_user = named_path_user(connector, builder, wish);
    // Before the roles are made: a template has its own.
    let key = |template: &str| format!("{template} {builder} {path_user:?}");
    let template = wish.template.and_then(|template| Template::on_private(&server, &key(template), connector));
    server.create_builder(builder)?;
    owner.map_or(Ok(()), |owner| server.create_builder(owner))?;
    server.create_roles(connector.target.roles.iter().map(String::as_str))?;

    let address = Address::Postgres(Secret::new(server.url_as(builder, "postgres")));
    let target = Target { address, password: None, ..throwaway(&connector.target) };
    let mut host = connector.host.clone();
    // Those lead to the target.
    host.variables.retain(|name, _| !name.starts_with("PG"));
    let at = Connector { path_user, ..Connector::new(&target, &host)? };
    let database = Database::create(&at, owner, Some(server), template)?;
    let named_builder = (builder == login).then(|| login.clone());
    let login = (builder != login).then(|| login.clone());
    Ok(Made { login, named_builder, ..Made::new(database) })
}

fn on_own(connector: &Connector, facts: &Facts) -> Result<Made> {
    let mut server = connector.with_database(&facts.database);
    server.target = throwaway(&server.target);
    let owner = connector.target.owner_role.as_deref();
    let database = Database::create(&server, owner, None, None)?;
    Ok(Made::new(database))
}

/// Returns the target's login, if somebody else builds and the texts name it: a schema that is named after it is where
/// `"$user"` leads on the target.
fn named_path_user(connector: &Connector, builder: &str, wish: &ScratchWish<'_>) -> Option<String> {
    let login = &connector.conninfo.user;
    let counts = connector.target.owner_role.is_none() && builder != login && (wish.names)(login);
    counts.then(|| login.clone())
}

/// Returns true if a text asks who builds.
fn asks_who(wish: &ScratchWish<'_>) -> bool {
    ["current_user", "session_user", "current_role"].into_iter().any(wish.names)
}

/// Returns true if a text failed because a role is not there. Private servers speak English.
fn lacks_role(failed: &EngineError, role: &str) -> bool {
    let EngineError::Unit(failed) = failed else { return false };
    failed.failure.message == format!("role \"{role}\" does not exist")
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
