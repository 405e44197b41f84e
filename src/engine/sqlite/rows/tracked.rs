//! What is known of the rows that a file brought: the key and the digest of each, in the table `seed_row`.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::engine::sqlite::database::Database;
use crate::engine::sqlite::error::doing;
use crate::engine::{Result, RowSeed};

/// By key: the digest of the row as the file had it.
pub(super) type Digests = HashMap<String, Vec<u8>>;

/// Reads what the last run left.
pub(super) fn read(connection: &Connection, database: &Database, seed: &RowSeed) -> Result<Digests> {
    let known = doing("reading the rows' digests");
    let sql = format!("select key, digest from {} where project = ?1 and file = ?2", database.names.seed_row);
    let mut statement = connection.prepare(&sql).map_err(&known)?;
    let rows = statement.query_map([&seed.entry.project, &seed.file], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.map_err(&known)?.collect::<rusqlite::Result<_>>().map_err(&known)
}

/// Forgets all rows of a file.
pub(super) fn forget(connection: &Connection, database: &Database, seed: &RowSeed) -> Result<()> {
    let sql = format!("delete from {} where project = ?1 and file = ?2", database.names.seed_row);
    connection.execute(&sql, [&seed.entry.project, &seed.file]).map_err(doing("writing the rows' digests"))?;
    Ok(())
}

/// Writes digests, one statement prepared for all.
pub(super) struct Writer<'a> {
    statement: rusqlite::Statement<'a>,
    project: &'a str,
    file: &'a str,
}

impl<'a> Writer<'a> {
    pub fn new(connection: &'a Connection, database: &Database, seed: &'a RowSeed) -> Result<Self> {
        let sql = format!(
            "insert into {} (project, file, key, digest) values (?1, ?2, ?3, ?4)
             on conflict (project, file, key) do update set digest = excluded.digest",
            database.names.seed_row
        );
        let statement = connection.prepare(&sql).map_err(doing("writing the rows' digests"))?;
        Ok(Self { statement, project: &seed.entry.project, file: &seed.file })
    }

    pub fn write(&mut self, key: &str, digest: &[u8]) -> Result<()> {
        let values = (self.project, self.file, key, digest);
        self.statement.execute(values).map_err(doing("writing the rows' digests"))?;
        Ok(())
    }
}

/// Forgets the rows that left the file.
pub(super) fn remove(connection: &Connection, database: &Database, seed: &RowSeed, keys: &[String]) -> Result<()> {
    let known = doing("writing the rows' digests");
    let sql = format!("delete from {} where project = ?1 and file = ?2 and key = ?3", database.names.seed_row);
    let mut statement = connection.prepare(&sql).map_err(&known)?;
    for key in keys {
        statement.execute((&seed.entry.project, &seed.file, key)).map_err(&known)?;
    }
    Ok(())
}
