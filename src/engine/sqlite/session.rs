//! One connection to one database, and the verbs that the trait asks for.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use super::database::Database;
use super::dqs;
use super::error::doing;
use super::lock::{self, BuildLock};
use super::names::{Names, quote};
use super::statements::is_pragma;
use super::trial::SqliteTrial;
use super::{apply, catalog, code, connection, contents, dump, inspect, journal, load, reset, rows, transaction};
use crate::engine::catalog::{Catalog, Row, TableRows};
use crate::engine::contents::{Contents, moved};
use crate::engine::trial::Trial;
use crate::engine::{
    Access, Applied, CodeWork, DumpInfo, DumpWish, Inspection, Keeping, Load, Loaded, Outcome, Result, RowSeed,
    Session, Unit, Wait,
};
use crate::event::{Event, Observer};
use crate::journal::{Kind, Mark, NewEntry, Run};
use crate::sql::Name;

/// A session on a SQLite database.
pub(super) struct SqliteSession {
    connection: Connection,
    database: Arc<Database>,
    access: Access,
    /// True if the database was read as immutable, which is right only as long as nobody opens it.
    resting: bool,
    lock: Option<BuildLock>,
    /// What was found when there was no observer to tell.
    notes: Vec<Event>,
}

impl SqliteSession {
    pub fn open(database: Arc<Database>, access: Access) -> Result<Self> {
        let database = Arc::new(database.for_session());
        let resting = access == Access::Read && connection::rests_in_wal_mode(&database);
        let connection = connection::open(&database, access)?;
        let mut session = Self { connection, database, access, resting, lock: None, notes: Vec::new() };
        if access == Access::Write {
            session.settle_double_quotes()?;
        }
        Ok(session)
    }

    fn settle_double_quotes(&mut self) -> Result<()> {
        let needs = dqs::allow_what_is_there(&self.connection).map_err(doing("reading the schema"))?;
        let names: Vec<&str> = needs.statements.iter().chain(&needs.definitions).map(String::as_str).collect();
        if let Some((first, rest)) = names.split_first() {
            let others = if rest.is_empty() { String::new() } else { format!(" and {} others", rest.len()) };
            let message = format!(
                "{first}{others} use double quotes around text; they stay allowed here, so a misspelt column in \
                 double quotes is read as text"
            );
            self.notes.push(Event::Note { code: "double-quoted-text".to_owned(), message });
        }
        Ok(())
    }

    fn tell(&mut self, observer: &mut dyn Observer) {
        self.notes.drain(..).for_each(|note| observer.event(note));
    }

    /// Opens a fresh connection, so that nothing a text set lives on: pragmas, temporary tables, attached files.
    fn renew(&mut self) -> Result<()> {
        self.connection = connection::open(&self.database, self.access)?;
        dqs::allow_what_is_there(&self.connection).map_err(doing("reading the schema"))?;
        Ok(())
    }

    /// Returns the connection.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns the database.
    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// Leaves the connection behind with whatever is under way in it; an error shows with the next use.
    pub(super) fn start_over(&mut self) {
        if self.renew().is_err() {
            self.resting = false;
        }
    }

    /// Returns true if something of a text may live on in the connection.
    pub(super) fn is_touched<'u>(&self, units: impl IntoIterator<Item = &'u Unit>) -> bool {
        let sets = |unit: &Unit| {
            unit.double_quoted_text || unit.parts.iter().any(|part| part.sets_session || is_pragma(unit, part))
        };
        let temporary = "select exists (select 1 from sqlite_temp_schema)";
        units.into_iter().any(sets) || self.connection.query_row(temporary, [], |row| row.get(0)).unwrap_or(true)
    }

    /// Reads. What was read of an immutable file counts if it still rests afterwards; else it is read again, properly.
    fn look<T>(&mut self, read: impl Fn(&Connection, &Names) -> Result<T>) -> Result<T> {
        if !self.resting {
            return read(&self.connection, &self.database.names);
        }
        self.connection = connection::open(&self.database, self.access)?;
        let found = read(&self.connection, &self.database.names);
        if connection::rests_in_wal_mode(&self.database) {
            return found;
        }
        self.resting = false;
        self.connection = connection::open(&self.database, self.access)?;
        read(&self.connection, &self.database.names)
    }

    fn in_transaction<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        transaction::within(&self.connection, &self.database, work)
    }
}

impl Session for SqliteSession {
    fn inspect(&mut self, project: &str) -> Result<Inspection> {
        self.look(|connection, names| inspect::inspect(connection, names, project))
    }

    /// Closing frees each table and index that the schema was parsed into: a tenth of what a build takes that has nothing
    /// to do. No lock is held by now; in WAL mode closing also clears the log away.
    fn leave(self: Box<Self>) {
        let Self { connection, resting, .. } = *self;
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        if resting || mode.is_ok_and(|mode| mode == "delete") {
            std::mem::forget(connection);
        }
    }

    fn exclusive(&mut self, wait: Wait, observer: &mut dyn Observer) -> Result<()> {
        self.tell(observer);
        if let Some(file) = self.database.file()
            && self.lock.is_none()
            && self.database.locks
        {
            self.lock = Some(lock::take(&self.database, file, wait, observer)?);
        }
        Ok(())
    }

    fn prepare(&mut self, mark: Option<&Mark>, soon: bool) -> Result<()> {
        self.database.first.expect(mark);
        if soon { Ok(()) } else { self.in_transaction(|_| Ok(())) }
    }

    fn mark(&mut self, mark: &Mark) -> Result<()> {
        self.in_transaction(|connection| {
            journal::format(connection, &self.database.names)?;
            journal::create(connection, &self.database.names)?;
            journal::mark(connection, &self.database, mark, true)
        })
    }

    fn apply(&mut self, units: &[Unit], run: &Run, observer: &mut dyn Observer) -> Result<Vec<Outcome>> {
        self.tell(observer);
        let longest = |limits: fn(&Unit) -> Option<Duration>| units.iter().filter_map(limits).max();
        let database = self.database.limited(longest(|unit| unit.lock_timeout), longest(|unit| unit.statement_timeout));
        let result = apply::apply(&self.connection, &database, units, run, observer);
        if self.is_touched(units) {
            self.renew()?;
        }
        result
    }

    fn keep_code(&mut self, work: &CodeWork, run: &Run, observer: &mut dyn Observer) -> Result<Keeping> {
        self.tell(observer);
        let longest = |limits: fn(&Unit) -> Option<Duration>| work.scripts.iter().filter_map(limits).max();
        let database = self.database.limited(longest(|unit| unit.lock_timeout), longest(|unit| unit.statement_timeout));
        let result = code::keep(&self.connection, &database, work, run, observer);
        if self.is_touched(work.scripts.iter().chain(work.files.iter().map(|file| &file.unit))) {
            self.renew()?;
        }
        result
    }

    fn attempt(
        &mut self,
        units: &[Unit],
        wanted: &[TableRows],
        keep: crate::engine::Judge<'_>,
        run: &Run,
        observer: &mut dyn Observer,
    ) -> Result<Option<Vec<Applied>>> {
        self.tell(observer);
        let names = &self.database.names;
        let tables: BTreeSet<Name> = wanted.iter().map(|table| table.table.clone()).collect();
        let look = |connection: &Connection| contents::read(connection, names, &tables, None);
        let mut judge = |connection: &Connection, before: &Contents| {
            let found = catalog::read_inside(connection, names)?;
            let rows: Result<Vec<_>> = wanted.iter().map(|table| catalog::rows_like(connection, table)).collect();
            let after = contents::read(connection, names, &tables, Some(before))?;
            Ok(keep(&found, &rows?, &moved(before, &after)))
        };
        let result = apply::attempt(&self.connection, &self.database, units, run, &look, &mut judge);
        if self.is_touched(units) {
            self.renew()?;
        }
        result
    }

    fn foreign(&mut self, table: &str, column: &str, condition: &str) -> Result<Option<Vec<String>>> {
        self.look(|connection, _| {
            let sql = "select exists (select 1 from sqlite_schema where type = 'table' and name = ?1 collate nocase)";
            let known = doing("reading another tool's journal");
            if !connection.query_row(sql, [table], |row| row.get::<_, bool>(0)).map_err(&known)? {
                return Ok(None);
            }
            let sql = format!("select cast({column} as text) from {} where {condition}", quote(table));
            let mut statement = connection.prepare(&sql).map_err(&known)?;
            let texts = statement.query_map([], |row| row.get::<_, Option<String>>(0)).map_err(&known)?;
            let texts: Vec<Option<String>> = texts.collect::<rusqlite::Result<_>>().map_err(&known)?;
            Ok(Some(texts.into_iter().flatten().collect()))
        })
    }

    fn load_rows(&mut self, seed: &RowSeed, run: &Run, observer: &mut dyn Observer) -> Result<Option<Loaded>> {
        self.tell(observer);
        rows::load(&self.connection, &self.database, seed, run, observer)
    }

    fn record(&mut self, entries: &[NewEntry], tracked: &[RowSeed], run: &Run) -> Result<()> {
        self.in_transaction(|connection| {
            for entry in entries {
                journal::write(connection, &self.database, entry, run)?;
            }
            for seed in tracked {
                rows::track(connection, &self.database, seed)?;
            }
            Ok(())
        })
    }

    fn entry_text(&mut self, project: &str, kind: Kind, key: &str) -> Result<Option<String>> {
        journal::text(&self.connection, &self.database.names, project, kind, key)
    }

    fn reset(&mut self, observer: &mut dyn Observer) -> Result<()> {
        self.tell(observer);
        reset::reset(&self.connection, &self.database)?;
        self.renew()
    }

    fn dump_some(&mut self, wish: &DumpWish, folder: &Path, observer: &mut dyn Observer) -> Result<DumpInfo> {
        self.tell(observer);
        dump::dump(&self.connection, &self.database, wish, folder, observer)
    }

    fn load(&mut self, load: &Load<'_>, run: &Run, observer: &mut dyn Observer) -> Result<bool> {
        self.tell(observer);
        load::load(&self.connection, &self.database, load, run, observer)
    }

    fn catalog(&mut self) -> Result<Catalog> {
        self.look(catalog::read)
    }

    fn seeded(&mut self) -> Result<Vec<TableRows>> {
        catalog::seeded(&self.connection, &self.database.names)
    }

    fn rows_like(&mut self, wanted: &TableRows) -> Result<Option<Vec<Row>>> {
        self.look(|connection, _| catalog::rows_like(connection, wanted))
    }

    fn trial<'a>(&'a mut self, units: &'a [Unit]) -> Result<Box<dyn Trial + 'a>> {
        Ok(Box::new(SqliteTrial::begin(self, units)?))
    }
}
