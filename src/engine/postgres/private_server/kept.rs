//! Databases that are kept for later runs, and the roles that go with them.
//!
//! A role is of the whole server: a build must not meet the roles of a database that another project left here.
//! So between runs the roles of kept databases have other names. Whatever they own, may do and are set to goes by
//! number, and stays theirs.

use postgres::Client;
use serde::{Deserialize, Serialize};

use super::SUPERUSER;
use crate::engine::Result;
use crate::engine::postgres::quote::{ident, literal};

/// Names of databases that are kept for later runs begin so.
pub const PREFIX: &str = "dbbuild_template_";

/// What is noted of a kept database, as its comment.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Note {
    /// When it was used last, in seconds of the server's clock.
    pub used: i64,
    /// The roles that go with it: number and name.
    #[serde(default)]
    pub roles: Vec<(u32, String)>,
}

impl Note {
    /// Returns the note of a database that is used now.
    pub fn of_now(client: &mut Client, roles: Vec<(u32, String)>) -> std::result::Result<Self, postgres::Error> {
        let now = client.query_one("select extract(epoch from pg_catalog.clock_timestamp())::int8", &[])?;
        Ok(Self { used: now.get(0), roles })
    }

    /// Returns the statement that writes it.
    pub fn statement(&self, database: &str) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        format!("comment on database {} is {}", ident(database), literal(&text))
    }
}

/// Returns the kept databases that we may drop, with their notes.
pub fn read(client: &mut Client) -> std::result::Result<Vec<(String, Note)>, postgres::Error> {
    let query = "
        select d.datname::text, coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), '')
        from pg_catalog.pg_database d
        where starts_with(d.datname, $1::text)
          and pg_catalog.pg_has_role(d.datdba, 'usage')";
    let rows = client.query(query, &[&PREFIX])?;
    Ok(rows.iter().map(|row| (row.get(0), serde_json::from_str(row.get(1)).unwrap_or_default())).collect())
}

/// Returns every role of the server but its superuser and its own.
pub fn roles(client: &mut Client) -> std::result::Result<Vec<(u32, String)>, postgres::Error> {
    let query = "
        select oid, rolname::text
        from pg_catalog.pg_roles
        where rolname <> $1 and rolname not like 'pg\\_%' and not starts_with(rolname, $2)
        order by oid";
    let rows = client.query(query, &[&SUPERUSER, &ALIAS])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Gives the roles of kept databases their other names, and returns their numbers.
pub fn put_away(client: &mut Client) -> Result<Vec<u32>> {
    let kept = read(client).map_err(super::sql("reading what is kept"))?;
    let mut all: Vec<u32> = Vec::new();
    for (number, name) in kept.into_iter().flat_map(|(_, note)| note.roles) {
        rename(client, number, &name, &alias(number)).map_err(super::sql("renaming a role"))?;
        all.push(number);
    }
    Ok(all)
}

/// Gives the roles of a kept database their names back. False if it cannot be used: another role has one of the
/// names now, or a role is gone; then the roles are as they were.
pub fn bring_back(client: &mut Client, database: &str) -> bool {
    let Ok(kept) = read(client) else { return false };
    let Some((_, note)) = kept.into_iter().find(|(name, _)| name == database) else { return false };
    let mut transaction = match client.transaction() {
        Ok(transaction) => transaction,
        Err(_) => return false,
    };
    for (number, name) in &note.roles {
        let renamed = rename(&mut transaction, *number, &alias(*number), name);
        if !renamed.is_ok_and(|current| current.as_ref() == Some(name)) {
            return false;
        }
    }
    transaction.commit().is_ok()
}

const ALIAS: &str = "dbbuild_kept_";

fn alias(number: u32) -> String {
    format!("{ALIAS}{number}")
}

/// Renames a role if it has the name that is given; returns the name it has then.
fn rename(
    client: &mut impl postgres::GenericClient,
    number: u32,
    from: &str,
    to: &str,
) -> std::result::Result<Option<String>, postgres::Error> {
    let row = client.query_opt("select rolname::text from pg_catalog.pg_roles where oid = $1", &[&number])?;
    let current = row.map(|row| row.get::<_, String>(0));
    if current.as_deref() != Some(from) {
        return Ok(current);
    }
    client.batch_execute(&format!("alter role {} rename to {}", ident(from), ident(to)))?;
    Ok(Some(to.to_owned()))
}
