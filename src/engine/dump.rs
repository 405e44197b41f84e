//! What of a database is dumped and loaded.

use std::path::Path;

use super::RowSeed;
use crate::journal::{Kind, NewEntry, Stored};
use crate::script::Checksum;

/// What of a database is dumped. The default is all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DumpWish {
    /// Which part.
    pub part: DumpPart,
    /// One schema alone.
    pub schema: Option<String>,
    /// Leave out the tables in which other tools keep what they ran.
    pub without_journals: bool,
}

/// A part of a database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DumpPart {
    /// Schema and rows.
    #[default]
    Whole,
    /// The schema alone.
    Schema,
    /// The rows and sequences alone.
    Rows,
}

/// A dump to be loaded into an empty database, and what the journal says then.
#[derive(Debug)]
pub struct Load<'a> {
    /// The folder that `dump` wrote.
    pub folder: &'a Path,
    /// The load's own entry. It is written only where a load is more than one transaction holds, and tells an
    /// interrupted one how far it came; its checksum says of which dump.
    pub entry: NewEntry,
    /// What the dump contains.
    pub entries: &'a [NewEntry],
    /// The CSV seeds among it, whose row digests become known.
    pub tracked: &'a [RowSeed],
}

impl<'a> Load<'a> {
    /// Makes the load of a folder, which stands for nothing yet. `key` is what the folder is called in the journal.
    pub fn new(folder: &'a Path, project: &str, key: &str, checksum: Checksum) -> Self {
        let entry = NewEntry {
            project: project.to_owned(),
            kind: Kind::Baseline,
            key: key.to_owned(),
            order_key: key.to_owned(),
            attempt: 1,
            name: key.to_owned(),
            token_checksum: checksum.clone(),
            checksum,
            text: None,
            state: Stored::Applied,
            statements: 0,
            objects: Vec::new(),
        };
        Self { folder, entry, entries: &[], tracked: &[] }
    }
}

/// Tables in which known tools keep what they ran: Flyway, Liquibase, golang-migrate and dbmate and Rails, goose,
/// sqlx, Diesel, refinery, Alembic, DbUp, grate, node-pg-migrate, Knex, Prisma, Sequelize, TypeORM, Django, Ecto
/// is `schema_migrations`, Doctrine, yoyo, Atlas.
pub const JOURNALS: &[&str] = &[
    "flyway_schema_history",
    "databasechangelog",
    "databasechangeloglock",
    "schema_migrations",
    "ar_internal_metadata",
    "goose_db_version",
    "_sqlx_migrations",
    "__diesel_schema_migrations",
    "refinery_schema_history",
    "alembic_version",
    "schemaversions",
    "pgmigrations",
    "knex_migrations",
    "knex_migrations_lock",
    "_prisma_migrations",
    "sequelizemeta",
    "django_migrations",
    "doctrine_migration_versions",
    "_yoyo_migration",
    "_yoyo_log",
    "_yoyo_version",
    "yoyo_lock",
    "atlas_schema_revisions",
];

/// Cuts a list at its commas: not at those in quotes and parentheses.
#[cfg_attr(not(any(feature = "postgres", feature = "sqlite")), allow(dead_code))]
pub(in crate::engine) fn split_list(list: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (at, byte) in list.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') => depth = depth.saturating_sub(1),
            (None, b',') if depth == 0 => {
                parts.push(list.get(start..at).unwrap_or_default().trim());
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(list.get(start..).unwrap_or_default().trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::split_list;

    #[test]
    fn a_list_is_cut_at_its_own_commas() {
        assert_eq!(
            split_list("1, 'a, ''b', CAST(X'00' AS TEXT), \"x,y\""),
            ["1", "'a, ''b'", "CAST(X'00' AS TEXT)", "\"x,y\""]
        );
        assert_eq!(split_list(""), [""]);
    }
}
