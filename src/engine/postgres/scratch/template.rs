//! Builds that are kept for later runs: databases that nobody may connect to, named after what went into them.
//!
//! A database gets its name when it is whole, and is never changed after. A template is only ever a saving of time:
//! what goes wrong with one goes unsaid, and the build is made from the scripts.

use std::time::{Duration, Instant};

use postgres::Client;
use postgres::error::SqlState;

use crate::engine::postgres::connect::Connector;
use crate::engine::postgres::private_server::{PrivateServer, SUPERUSER, kept};
use crate::engine::postgres::quote::ident;
use crate::engine::scratch::template_name;

type Answer<T> = std::result::Result<T, postgres::Error>;

/// How many templates a server keeps: those that were used last.
const MOST: usize = 12;

/// How long the sessions of a database that was just left may take to end, on a machine that does much else.
const LEAVING: Duration = Duration::from_secs(60);

/// How often the server, which then still counts a session for a moment, is asked to do without; it waits for five
/// seconds each time.
const ATTEMPTS: u32 = 3;

/// A template on a server, which may be there or not.
pub(super) struct Template {
    name: String,
    /// On a server that others use too: the roles as they were before the build.
    roles_before: Option<String>,
}

impl Template {
    /// Names a template of a private server, and wakes its roles if it is there. Nothing if it is there and cannot
    /// be used now.
    pub fn on_private(server: &PrivateServer, template: &str, connector: &Connector) -> Option<Self> {
        let mut client = server.connect("postgres").ok()?;
        let template = Self { name: name(&mut client, template, connector).ok()?, roles_before: None };
        let is_free = !template.is_there(&mut client).ok()? || kept::bring_back(&mut client, &template.name);
        is_free.then_some(template)
    }

    /// Names a template of a server that others use too.
    pub fn on_shared(client: &mut Client, template: &str, connector: &Connector) -> Option<Self> {
        let name = name(client, template, connector).ok()?;
        Some(Self { name, roles_before: Some(roles(client).ok()?) })
    }

    pub fn is_there(&self, client: &mut Client) -> Answer<bool> {
        let query = "select exists (select from pg_catalog.pg_database where datname = $1)";
        Ok(client.query_one(query, &[&self.name])?.get(0))
    }

    /// Makes a database a copy of it; false if it is not there.
    pub fn copy_to(&self, client: &mut Client, new: &str, owner: &str) -> Answer<bool> {
        if !self.is_there(client)? {
            return Ok(false);
        }
        copy(client, &self.name, new, owner)?;
        if let Some((_, note)) = kept::read(client)?.into_iter().find(|(name, _)| *name == self.name) {
            let note = kept::Note::of_now(client, note.roles)?;
            client.batch_execute(&note.statement(&self.name))?;
        }
        Ok(true)
    }

    /// Returns the roles that go with a database when it is kept, as they are now; nothing if a copy of it would not
    /// be whole.
    pub fn roles_to_keep(&self, client: &mut Client, database: &str) -> Answer<Option<Vec<(u32, String)>>> {
        let is_whole = match &self.roles_before {
            // Its roles are kept with it, but not what is set for all of them.
            None => !sets_for_all(client)?,
            Some(before) => roles(client)? == *before,
        };
        if !is_whole || loses(client, database)? {
            return Ok(None);
        }
        if self.roles_before.is_none() { kept::roles(client).map(Some) } else { Ok(Some(Vec::new())) }
    }

    /// Makes a database the template: it gets the name and lets nobody in any more.
    pub fn name_it(&self, client: &mut Client, database: &str, roles: Vec<(u32, String)>) -> Answer<()> {
        let note = kept::Note::of_now(client, roles)?;
        client.batch_execute(&note.statement(database))?;
        client.batch_execute(&format!("alter database {} allow_connections false", ident(database)))?;
        client.batch_execute(&format!("drop database if exists {}", ident(&self.name)))?;
        let rename = format!("alter database {} rename to {}", ident(database), ident(&self.name));
        when_left(client, database, &rename)?;
        collect(client)
    }
}

/// Drops the templates that were used least lately.
fn collect(client: &mut Client) -> Answer<()> {
    let mut kept = kept::read(client)?;
    kept.sort_by_key(|(_, note)| std::cmp::Reverse(note.used));
    for (name, _) in kept.iter().skip(MOST) {
        client.batch_execute(&format!("drop database if exists {}", ident(name)))?;
    }
    Ok(())
}

/// Copies a database that nobody is connected to.
pub(super) fn copy(client: &mut Client, from: &str, to: &str, owner: &str) -> Answer<()> {
    let facts = "
        select current_setting('server_version_num')::int4 >= 150000
               and current_setting('fsync') = 'off'";
    // Copying files is faster only where no checkpoint waits for the disk; before 15 there is no choice.
    let files = if client.query_one(facts, &[])?.get(0) { " strategy file_copy" } else { "" };
    let create = format!("create database {} template {}{files}{owner}", ident(to), ident(from));
    when_left(client, from, &create)
}

/// Runs a statement that wants nobody connected to the database. CREATE DATABASE itself looks only ten times a second,
/// and a session leaves `pg_stat_activity` before the server counts it out
/// (<https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/storage/ipc/procarray.c>, `CountOtherDBBackends`).
fn when_left(client: &mut Client, database: &str, statement: &str) -> Answer<()> {
    let connected = "
        select exists (
            select
            from pg_catalog.pg_stat_activity
            where datname = $1 and backend_type = 'client backend'
        )";
    let began = Instant::now();
    while client.query_one(connected, &[&database])?.get(0) && began.elapsed() < LEAVING {
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut attempt = 1;
    loop {
        match client.batch_execute(statement) {
            Err(error) if error.code() == Some(&SqlState::OBJECT_IN_USE) && attempt < ATTEMPTS => attempt += 1,
            done => return done,
        }
    }
}

/// Returns true if a copy would lack something: CREATE DATABASE copies no settings, rights or comments of the
/// database itself, and nothing that is kept elsewhere
/// (<https://www.postgresql.org/docs/current/sql-createdatabase.html>).
pub(super) fn loses(client: &mut Client, database: &str) -> Answer<bool> {
    let query = "
        select d.datacl is not null
            or d.datconnlimit <> -1
            or d.dattablespace <> (select oid from pg_catalog.pg_tablespace where spcname = 'pg_default')
            or exists (select from pg_catalog.pg_db_role_setting where setdatabase = d.oid)
            or exists (select from pg_catalog.pg_shdescription
                       where objoid = d.oid and classoid = 'pg_catalog.pg_database'::regclass)
            or exists (select from pg_catalog.pg_shseclabel
                       where objoid = d.oid and classoid = 'pg_catalog.pg_database'::regclass)
            or exists (select from pg_catalog.pg_replication_slots where database = d.datname)
            or exists (select from pg_catalog.pg_tablespace t
                       where t.spcname not in ('pg_default', 'pg_global')
                         and d.oid in (select pg_catalog.pg_tablespace_databases(t.oid)))
        from pg_catalog.pg_database d
        where d.datname = $1";
    Ok(client.query_opt(query, &[&database])?.is_none_or(|row| row.get(0)))
}

fn sets_for_all(client: &mut Client) -> Answer<bool> {
    let query = "
        select exists (
            select
            from pg_catalog.pg_db_role_setting s
            left join pg_catalog.pg_roles r on r.oid = s.setrole
            where s.setdatabase = 0 and (s.setrole = 0 or r.rolname = $1)
        )";
    Ok(client.query_one(query, &[&SUPERUSER])?.get(0))
}

/// Returns a digest of the server's roles with their memberships and settings.
fn roles(client: &mut Client) -> Answer<String> {
    let query = "
        select pg_catalog.md5(
            coalesce((select string_agg(r::text, ' ' order by r.oid) from pg_catalog.pg_roles r), '')
            || coalesce((select string_agg(m::text, ' ' order by m.roleid, m.member)
                         from pg_catalog.pg_auth_members m), '')
            || coalesce((select string_agg(s::text, ' ' order by s.setrole)
                         from pg_catalog.pg_db_role_setting s where s.setdatabase = 0), '')
        )";
    Ok(client.query_one(query, &[])?.get(0))
}

/// Names a template after everything that the same texts could become something else by.
fn name(client: &mut Client, template: &str, connector: &Connector) -> Answer<String> {
    let query = "
        select pg_catalog.version(),
               (select string_agg(name || ' ' || default_version, ', ' order by name)
                from pg_catalog.pg_available_extensions),
               (select string_agg(name || ' ' || setting, ', ' order by name)
                from pg_catalog.pg_settings
                where source in ('configuration file', 'global', 'database', 'user', 'database user')
                  and context in ('user', 'superuser', 'sighup')),
               (select string_agg(s::text, ', ' order by s.setrole)
                from pg_catalog.pg_db_role_setting s where s.setdatabase = 0 and s.setrole = 0)";
    let row = client.query_one(query, &[])?;
    let of_server = (0..4).map(|column| row.get::<_, Option<String>>(column).unwrap_or_default());
    let target = &connector.target;
    let of_target = [
        template.to_owned(),
        connector.host.program.clone().unwrap_or_default(),
        env!("CARGO_PKG_VERSION").to_owned(),
        target.owner_role.clone().unwrap_or_default(),
        target.journal_name.clone(),
        target.roles.join("\n"),
        target.schemas.join("\n"),
        target.locale.clone().unwrap_or_default(),
    ];
    let all: Vec<String> = of_target.into_iter().chain(of_server).collect();
    Ok(format!("{}{}", kept::PREFIX, template_name(all.iter().map(String::as_str))))
}
