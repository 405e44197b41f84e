//! One throwaway database, from CREATE to DROP.

use std::collections::BTreeSet;
use std::sync::Arc;

use postgres::Client;

use super::leftover;
use super::locale;
use super::template::{self, Template};
use crate::engine::postgres::connect::Connector;
use crate::engine::postgres::dump::server_major;
use crate::engine::postgres::error::Trouble;
use crate::engine::postgres::private_server::PrivateServer;
use crate::engine::postgres::quote::ident;
use crate::engine::{EngineError, Result};

/// A database that is dropped with this value. A session named like the database stays open as long: it tells
/// other runs that somebody uses it.
pub(super) struct Database {
    name: String,
    keeper: Client,
    server: Connector,
    /// What it is kept as, if it is.
    template: Option<Template>,
    /// What it becomes itself instead of being dropped, and the roles that go with that.
    becomes: Option<(Template, Vec<(u32, String)>)>,
    /// The roles that go with it; nothing where they are not ours to take away.
    roles: Option<Roles>,
    /// True if it is left behind.
    left: bool,
    // Last: the server must run until the database is gone.
    private: Option<Arc<PrivateServer>>,
}

/// Which roles a server had before, and what roles of the build may be called.
struct Roles {
    before: BTreeSet<String>,
    named: BTreeSet<String>,
}

impl Database {
    /// Creates it on a server, where `server` names a database that lets us in.
    pub fn create(
        server: &Connector,
        owner: Option<&str>,
        private: Option<Arc<PrivateServer>>,
        template: Option<Template>,
    ) -> Result<Self> {
        let (mut keeper, name) = Self::reserve(server)?;
        let owner = owner.map(|owner| format!(" owner {}", ident(owner))).unwrap_or_default();
        if let Some(kept) = &template
            && kept.copy_to(&mut keeper, &name, &owner).is_ok_and(|copied| copied)
        {
            return Ok(Self::of(name, keeper, server, template, private));
        }
        let wanted = server.target.locale.as_deref();
        let mut refused = None;
        for options in locale::options(wanted, server_major(&mut keeper, server)?) {
            let create = format!("create database {} template template0 {options}{owner}", ident(&name));
            match keeper.batch_execute(&create) {
                Ok(()) => return Ok(Self::of(name, keeper, server, template, private)),
                Err(error) => match Trouble::of(&error, &server.redactor) {
                    // 42809: no such locale here. 22023: not with this encoding, or no such ICU locale. 42601: the
                    // server is older than that kind of locale.
                    Trouble::Answer(failure, _)
                        if matches!(failure.code.as_str(), "42809" | "22023" | "42704" | "0A000" | "42601") =>
                    {
                        refused.get_or_insert(failure);
                    }
                    Trouble::Answer(failure, _) if failure.code == "42501" => {
                        return Err(no_right(server, &failure.message));
                    }
                    trouble => return Err(trouble.own("making a scratch database", &server.shown())),
                },
            }
        }
        let why = refused.map(|failure| failure.message).unwrap_or_default();
        Err(EngineError::Tool {
            message: format!("{} cannot make a scratch database: {why}", server.shown()),
            hint: match wanted {
                Some(_) => {
                    "install that locale, or name another one as `locale` under [baseline] in dbbuild.toml".into()
                }
                None => "name a locale of that server as `locale` under [baseline] in dbbuild.toml".into(),
            },
        })
    }

    /// Chooses a name, and opens the session that bears it.
    fn reserve(server: &Connector) -> Result<(Client, String)> {
        let mut keeper = server.connect()?.client;
        let sql = |error: postgres::Error| {
            Trouble::of(&error, &server.redactor).own("making a scratch database", &server.shown())
        };
        let prepare = "select pg_catalog.set_config(name, '0', false)
             from pg_catalog.pg_settings
             where name in ('statement_timeout', 'lock_timeout', 'idle_session_timeout', 'default_transaction_read_only')";
        keeper.batch_execute(&format!("set role none; {prepare}")).map_err(sql)?;
        leftover::collect(&mut keeper);
        let name = leftover::new_name(&mut keeper, server)?;
        keeper.execute("select pg_catalog.set_config('application_name', $1, false)", &[&name]).map_err(sql)?;
        Ok((keeper, name))
    }

    /// Makes an empty one on the same private server, where this role is one without rights. Nothing elsewhere.
    pub fn anew_with_role(&mut self, role: &str) -> Result<Option<Self>> {
        let Some(private) = self.private.clone() else { return Ok(None) };
        private.create_roles([role])?;
        let owner = self.server.target.owner_role.clone();
        Self::create(&self.server, owner.as_deref(), Some(private), self.template.take()).map(Some)
    }

    /// Makes a copy of it, unless that would not be whole.
    pub fn copy(&mut self) -> Result<Option<Self>> {
        let server = &self.server;
        let sql = |error: postgres::Error| {
            Trouble::of(&error, &server.redactor).own("copying a scratch database", &server.shown())
        };
        let (mut keeper, name) = Self::reserve(server)?;
        if template::loses(&mut keeper, &self.name).map_err(sql)? {
            return Ok(None);
        }
        template::copy(&mut keeper, &self.name, &name, "").map_err(sql)?;
        let mut copy = Self::of(name, keeper, server, None, self.private.clone());
        if let Some(roles) = &self.roles {
            copy.takes_roles(roles.named.clone());
        }
        Ok(Some(copy))
    }

    fn of(
        name: String,
        keeper: Client,
        server: &Connector,
        template: Option<Template>,
        private: Option<Arc<PrivateServer>>,
    ) -> Self {
        Self { name, keeper, server: server.clone(), template, becomes: None, roles: None, left: false, private }
    }

    /// Drops with the database what roles of these names come from now on.
    pub fn takes_roles(&mut self, named: BTreeSet<String>) {
        if !named.is_empty() {
            // A server that does not tell its roles keeps them.
            self.roles = leftover::roles(&mut self.keeper).ok().map(|before| Roles { before, named });
        }
    }

    /// Does not drop it.
    pub fn leave(&mut self) {
        self.left = true;
    }

    /// Keeps a copy for later runs, if that was wished and goes.
    pub fn keep(&mut self) {
        let Some((template, roles)) = self.take_template() else { return };
        let Ok(fresh) = leftover::new_name(&mut self.keeper, &self.server) else { return };
        if template::copy(&mut self.keeper, &self.name, &fresh, "").is_ok()
            && template.name_it(&mut self.keeper, &fresh, roles).is_err()
        {
            leftover::drop_database(&mut self.keeper, &fresh).ok();
        }
    }

    /// Keeps the database itself for later runs, as it is now, when this value goes.
    pub fn keep_itself(&mut self) {
        self.becomes = self.take_template();
    }

    fn take_template(&mut self) -> Option<(Template, Vec<(u32, String)>)> {
        let template = self.template.take()?;
        let roles = template.roles_to_keep(&mut self.keeper, &self.name).ok()??;
        Some((template, roles))
    }

    /// Returns how to reach it.
    pub fn connector(&self) -> Connector {
        self.server.with_database(&self.name).pinned()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.left {
            if let Some(server) = self.private.take() {
                server.leave();
            }
            return;
        }
        // Nobody can be told here, and what stays is collected by the next run.
        if self.keeper.is_closed()
            && let Ok(connection) = self.server.connect()
        {
            self.keeper = connection.client;
        }
        let becomes = self.becomes.take();
        let becomes = becomes.map(|(template, roles)| template.name_it(&mut self.keeper, &self.name, roles));
        if becomes.is_none_or(|named| named.is_err()) {
            leftover::drop_database(&mut self.keeper, &self.name).ok();
        }
        if let Some(Roles { before, named }) = &self.roles {
            leftover::drop_roles(&mut self.keeper, before, named).ok();
        }
    }
}

fn no_right(server: &Connector, said: &str) -> EngineError {
    let user = &server.conninfo.user;
    EngineError::Tool {
        message: format!("{user} may not make databases on {}: {said}", server.shown()),
        hint: format!("`alter role {} createdb` lets it", ident(user)),
    }
}
