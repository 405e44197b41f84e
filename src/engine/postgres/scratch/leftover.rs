//! Databases that killed runs left behind, and the names by which they are known.
//!
//! A name tells when the database was made, by the server's clock. A database is a leftover if nobody is
//! connected to it, no session bears its name, and it is older than making one takes.

use std::collections::BTreeSet;

use postgres::Client;

use crate::engine::Result;
use crate::engine::postgres::connect::Connector;
use crate::engine::postgres::error::Trouble;
use crate::engine::postgres::quote::ident;

/// Names of scratch databases begin so.
pub(super) const PREFIX: &str = "dbbuild_scratch_";

/// The age in seconds below which a database is left alone.
const YOUNG: i64 = 300;

/// Returns a name that no other database has.
pub(super) fn new_name(client: &mut Client, server: &Connector) -> Result<String> {
    let now =
        now(client).map_err(|error| Trouble::of(&error, &server.redactor).own("reading the clock", &server.shown()))?;
    Ok(format!("{PREFIX}{now:x}_{:08x}", fastrand::u32(..)))
}

/// Drops what killed runs left on the server. Nothing here stands in the way of a build: a database that cannot
/// be dropped now is tried again by the next run.
pub(super) fn collect(client: &mut Client) {
    let Ok(now) = now(client) else { return };
    let Ok(rows) = client.query(UNUSED, &[&PREFIX]) else { return };
    for name in rows.iter().map(|row| row.get::<_, String>(0)) {
        if made_at(&name).is_some_and(|made| now - made > YOUNG) {
            drop_database(client, &name).ok();
        }
    }
}

/// Drops a database with whoever is connected to it.
pub(super) fn drop_database(client: &mut Client, name: &str) -> std::result::Result<(), postgres::Error> {
    // They hold a database fast, and few logins may drop them; then the next statement says so.
    let slots = "
        select pg_catalog.pg_drop_replication_slot(slot_name)
        from pg_catalog.pg_replication_slots
        where database = $1";
    client.query(slots, &[&name]).ok();
    client.batch_execute(&format!("drop database if exists {} with (force)", ident(name)))
}

/// Returns the server's roles.
pub(super) fn roles(client: &mut Client) -> std::result::Result<BTreeSet<String>, postgres::Error> {
    let rows = client.query("select rolname::text from pg_catalog.pg_roles", &[])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// What takes away a role's rights on other databases, on tablespaces and on settings, which would hold it, if it owns
/// nothing (<https://www.postgresql.org/docs/current/sql-drop-owned.html>).
const OWNS_NOTHING: &str = "
    select not exists (
        select
          from pg_catalog.pg_shdepend d
          join pg_catalog.pg_roles r on r.oid = d.refobjid and d.refclassid = 'pg_catalog.pg_authid'::regclass
         where r.rolname = $1 and d.deptype = 'o'
    )";

/// Drops the roles that came since, if they have one of these names. One that owns something stays.
pub(super) fn drop_roles(
    client: &mut Client,
    before: &BTreeSet<String>,
    named: &BTreeSet<String>,
) -> std::result::Result<(), postgres::Error> {
    for role in roles(client)?.difference(before).filter(|role| named.contains(*role)) {
        if client.query_one(OWNS_NOTHING, &[role]).is_ok_and(|row| row.get(0)) {
            client.batch_execute(&format!("drop owned by {0}; drop role {0}", ident(role))).ok();
        }
    }
    Ok(())
}

fn made_at(name: &str) -> Option<i64> {
    let (seconds, _) = name.strip_prefix(PREFIX)?.split_once('_')?;
    i64::from_str_radix(seconds, 16).ok()
}

fn now(client: &mut Client) -> std::result::Result<i64, postgres::Error> {
    Ok(client.query_one("select extract(epoch from pg_catalog.clock_timestamp())::int8", &[])?.get(0))
}

/// Those that we may drop and nobody uses. Everybody may see the names of sessions.
const UNUSED: &str = "
    select d.datname::text
    from pg_catalog.pg_database d
    where starts_with(d.datname, $1::text)
      and not d.datistemplate
      and pg_catalog.pg_has_role(d.datdba, 'usage')
      and not exists (
          select
          from pg_catalog.pg_stat_activity a
          where a.datid = d.oid or a.application_name = d.datname
      )";

#[cfg(test)]
mod tests {
    use super::made_at;

    #[test]
    fn a_name_tells_its_age_or_is_not_ours() {
        assert_eq!(made_at("dbbuild_scratch_10_0000abcd"), Some(16));
        assert_eq!(made_at("dbbuild_scratch_mine"), None);
        assert_eq!(made_at("dbbuild_scratch_mine_x"), None);
        assert_eq!(made_at("shop"), None);
    }
}
