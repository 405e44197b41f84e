//! What of `sqlite_schema` code files keep, by keys that are spelt like the journal's.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use rusqlite::{Connection, params_from_iter};

use super::super::catalog::essence;
use super::super::error::doing;
use crate::engine::Result;
use crate::engine::code::Creation;
use crate::script::Checksum;
use crate::sql::{Kind, Name};

/// A view, a trigger or an index.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub kind: Kind,
    pub name: String,
    pub table: String,
    pub sql: String,
    digest: OnceCell<String>,
}

impl Stored {
    /// Returns what stands for its text, however that is laid out.
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| Checksum::of_tokens([essence(&self.sql).as_str()]).to_string())
    }
}

/// Reads views, triggers and indexes by their keys.
pub(super) fn read(connection: &Connection) -> Result<BTreeMap<String, Stored>> {
    select(connection, "true", &[])
}

/// Reads those of some names.
pub(super) fn named(connection: &Connection, names: &[&str]) -> Result<BTreeMap<String, Stored>> {
    let marks = vec!["?"; names.len()].join(", ");
    select(connection, &format!("name collate nocase in ({marks})"), names)
}

fn select(connection: &Connection, condition: &str, names: &[&str]) -> Result<BTreeMap<String, Stored>> {
    let query = format!(
        "select type, name, tbl_name, sql
           from sqlite_schema
          where type in ('view', 'trigger', 'index') and sql is not null and {condition}"
    );
    let read = || -> rusqlite::Result<BTreeMap<String, Stored>> {
        let mut statement = connection.prepare(&query)?;
        let rows = statement.query_map(params_from_iter(names), |row| {
            let kind: String = row.get(0)?;
            let kind = match kind.as_str() {
                "view" => Kind::View,
                "trigger" => Kind::Trigger,
                _ => Kind::Index,
            };
            let stored =
                Stored { kind, name: row.get(1)?, table: row.get(2)?, sql: row.get(3)?, digest: OnceCell::new() };
            Ok((key(kind, &stored.name), stored))
        })?;
        rows.collect()
    };
    read().map_err(doing("reading the code objects"))
}

/// Returns an object's key.
pub(super) fn key(kind: Kind, name: &str) -> String {
    format!("{kind} {}", Name::new([name.to_ascii_lowercase()]))
}

/// Returns the key of what a statement makes.
pub(super) fn creation_key(creation: &Creation) -> String {
    key(creation.kind, creation.name.object())
}
