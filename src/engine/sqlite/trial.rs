//! Units in a transaction that is undone. SQLite counts the rows that are written and the changes of the schema, but
//! not which tables they were in.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher};

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::error::{doing, interrupted};
use super::foreign_keys::{Orphans, keys_wait, orphans, turn, worse};
use super::guard::Answers;
use super::names::{Names, quote};
use super::run::statement;
use super::session::SqliteSession;
use super::{apply, catalog, connection, transaction};
use crate::engine::trial::{Definitions, Digest, Digests, Tables, Touched, Trial};
use crate::engine::{Access, Catalog, EngineError, Mode, Result, TableRows, Unit};
use crate::sql::Name;

/// A transaction of one session, with the guards' answers for each unit.
pub(super) struct SqliteTrial<'a> {
    session: &'a mut SqliteSession,
    units: &'a [Unit],
    answers: Vec<Answers>,
    before: Counters,
    orphans: Option<Orphans>,
    keys_off: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counters {
    rows: u64,
    schema: i64,
    settings: (i64, i64),
}

impl Counters {
    fn read(connection: &Connection) -> Result<Self> {
        let pragma = |name: &str| {
            let read = connection.query_row(&format!("pragma {name}"), [], |row| row.get::<_, i64>(0));
            read.map_err(doing("reading what was written"))
        };
        Ok(Self {
            rows: connection.total_changes(),
            schema: pragma("schema_version")?,
            settings: (pragma("user_version")?, pragma("application_id")?),
        })
    }
}

impl<'a> SqliteTrial<'a> {
    pub(super) fn begin(session: &'a mut SqliteSession, units: &'a [Unit]) -> Result<Self> {
        let keys_off = units.iter().any(|unit| unit.mode == Mode::ForeignKeysOff);
        if keys_off {
            turn(session.connection(), false)?;
        }
        if let Err(error) = transaction::begin(session.connection(), session.database()) {
            if keys_off {
                turn(session.connection(), true)?;
            }
            return Err(error);
        }
        let orphans = if keys_off { orphans(session.connection()).ok() } else { None };
        let before = Counters::read(session.connection())?;
        let answers = units.iter().map(|_| Answers::default()).collect();
        Ok(Self { session, units, answers, before, orphans, keys_off })
    }

    fn names(&self) -> &Names {
        &self.session.database().names
    }

    /// Returns the rows that lost their parents in this transaction, if foreign keys that wait for the commit would see
    /// to them there. Each other one has failed by now.
    fn abandoned(&self) -> Result<Option<String>> {
        let connection = self.session.connection();
        if self.orphans.is_some() || connection.total_changes() == self.before.rows || !keys_wait(connection)? {
            return Ok(None);
        }
        let now = orphans(connection).map_err(doing("checking foreign keys"))?;
        if now.is_empty() {
            return Ok(None);
        }
        // Another connection sees what was there before. Where none can be had nothing was.
        let before = connection::open(self.session.database(), Access::Read);
        let before = before.ok().and_then(|before| orphans(&before).ok()).unwrap_or_default();
        Ok(worse(&before, &now))
    }

    fn tables(&self, wanted: &Tables) -> Result<Vec<String>> {
        let known = catalog::tables(self.session.connection(), self.names())?;
        Ok(known
            .into_iter()
            .filter(|table| match wanted {
                Tables::All => true,
                Tables::Of(names) => names.contains(&catalog::named(table)),
            })
            .collect())
    }
}

impl Trial for SqliteTrial<'_> {
    fn run(&mut self, unit: usize, part: usize) -> Result<bool> {
        let (connection, database) = (self.session.connection(), self.session.database());
        if database.interrupt.is_raised() {
            return Err(interrupted());
        }
        let Some(answers) = self.answers.get_mut(unit) else { return Ok(false) };
        if !answers.let_run(connection, self.units, unit, part)? {
            return Ok(false);
        }
        let part = &self.units[unit].parts[part];
        loop {
            let rows = statement(connection, database, self.units, unit, part)?;
            if !part.repeat || rows == 0 {
                return Ok(true);
            }
        }
    }

    fn settle(&mut self, unit: usize) -> Result<()> {
        let connection = self.session.connection();
        if let Some(before) = &self.orphans {
            return apply::check(connection, &self.units[..=unit], before);
        }
        if !connection.is_autocommit() {
            return match self.abandoned()? {
                None => Ok(()),
                Some(orphan) => Err(apply::at_commit_of(&self.units[..=unit], &orphan)),
            };
        }
        Err(EngineError::Refused {
            code: "trial/ended",
            message: "the text ended the transaction that it ran in".to_owned(),
            place: None,
            hint: None,
        })
    }

    fn would_fail(&mut self) -> Result<bool> {
        Ok(self.abandoned()?.is_some())
    }

    fn touched(&mut self) -> Result<Touched> {
        let now = Counters::read(self.session.connection())?;
        let is_defined = (now.schema, now.settings) != (self.before.schema, self.before.settings);
        let definitions = if is_defined { Definitions::All } else { Definitions::None };
        // A table that is rebuilt or altered may have its rows changed without any being counted.
        let rows = is_defined || now.rows != self.before.rows;
        Ok(Touched { definitions, tables: if rows { Tables::All } else { Tables::Of(BTreeSet::new()) } })
    }

    fn stamp(&mut self) -> Result<Option<String>> {
        Ok(Some(format!("{:?}", Counters::read(self.session.connection())?)))
    }

    fn catalog(&mut self) -> Result<Catalog> {
        catalog::read_inside(self.session.connection(), self.names())
    }

    fn digests(&mut self, tables: &Tables) -> Result<Digests> {
        let known = doing("reading rows");
        let mut digests = Digests::new();
        for table in self.tables(tables)? {
            let query = format!("select * from {}", quote(&table));
            let digest = digest(self.session.connection(), &query).map_err(&known)?;
            if digest.rows > 0 {
                digests.insert(catalog::named(&table), digest);
            }
        }
        Ok(digests)
    }

    fn rows(&mut self, tables: &BTreeSet<Name>) -> Result<Vec<TableRows>> {
        let names = self.tables(&Tables::Of(tables.clone()))?;
        names.iter().map(|table| catalog::whole(self.session.connection(), table)).collect()
    }

    fn counters(&mut self) -> Result<BTreeMap<String, i64>> {
        let connection = self.session.connection();
        let known = doing("reading sqlite_sequence");
        let is_there = "select exists (select 1 from sqlite_schema where name = 'sqlite_sequence')";
        if !connection.query_row(is_there, [], |row| row.get::<_, bool>(0)).map_err(&known)? {
            return Ok(BTreeMap::new());
        }
        let mut statement = connection.prepare("select name, seq from sqlite_sequence").map_err(&known)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(&known)?;
        rows.collect::<rusqlite::Result<_>>().map_err(&known)
    }
}

impl Drop for SqliteTrial<'_> {
    fn drop(&mut self) {
        let connection = self.session.connection();
        // Whoever cannot roll back gets a fresh connection below, and the transaction ends with the old one.
        let rolled_back = connection.is_autocommit() || connection.execute_batch("rollback").is_ok();
        let turned = !self.keys_off || turn(connection, true).is_ok();
        if !rolled_back || !turned || self.session.is_touched(self.units) {
            self.session.start_over();
        }
    }
}

/// Adds up the digests of the rows of a query, so that their order does not matter.
pub(super) fn digest(connection: &Connection, query: &str) -> rusqlite::Result<Digest> {
    let mut statement = connection.prepare(query)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let (mut count, mut sum) = (0_u64, 0_u64);
    while let Some(row) = rows.next()? {
        let mut hasher = DefaultHasher::new();
        for at in 0..columns {
            match row.get_ref(at)? {
                ValueRef::Null => hasher.write_u8(0),
                ValueRef::Integer(number) => {
                    hasher.write_u8(1);
                    hasher.write_i64(number);
                }
                ValueRef::Real(number) => {
                    hasher.write_u8(2);
                    hasher.write_u64(number.to_bits());
                }
                ValueRef::Text(bytes) => {
                    hasher.write_u8(3);
                    hasher.write(bytes);
                    hasher.write_u8(0xff);
                }
                ValueRef::Blob(bytes) => {
                    hasher.write_u8(4);
                    hasher.write_usize(bytes.len());
                    hasher.write(bytes);
                }
            }
        }
        count += 1;
        sum = sum.wrapping_add(hasher.finish());
    }
    Ok(Digest { rows: count, digest: format!("{sum:016x}") })
}
