//! CSV seeds: a table's rows brought to the state of a file, in one transaction with the entry.
//!
//! The file is read once into memory and gone through twice: the first time to learn its keys, so that rows that
//! left it are deleted before others take their place, the second time to write.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::types::Value;

use super::database::Database;
use super::error::{doing, interrupted, is_interrupt, said};
use super::{journal, transaction};
use crate::engine::{EngineError, Loaded, Result, RowSeed, RowSource, SeedMode, SqlFailure, UnitFailure};
use crate::error::Place;
use crate::event::{Event, Observer};
use crate::journal::Run;

mod references;
mod table;
mod tracked;
mod trade;

use crate::engine::rows::{Reader, Record};
use table::{Table, refusal};
use tracked::Digests;

/// After so many rows the wish to stop is looked at, and now and then the observer told.
const STRIDE: u64 = 1_000;

/// Loads a seed; `None` if another builder has claimed it.
pub(super) fn load(
    connection: &Connection,
    database: &Database,
    seed: &RowSeed,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<Option<Loaded>> {
    let bytes = bytes(seed)?;
    transaction::retrying(database, &seed.entry.name, observer, |observer| {
        let since = Instant::now();
        let mut work = || {
            let Some(sequence) = journal::claim(connection, database, &seed.entry, run)? else { return Ok(None) };
            // Rows that refer to each other may stand in any order.
            connection.pragma_update(None, "defer_foreign_keys", true).map_err(doing("deferring foreign keys"))?;
            let mut loaded = Load { connection, database, seed, bytes: &bytes, observer, since }.run()?;
            loaded.duration = since.elapsed();
            match journal::finish(connection, database, sequence, &seed.entry, loaded.duration)? {
                true => Ok(Some(loaded)),
                false => Err(EngineError::Journal(format!("a trigger took the entry of {} out of it", seed.file))),
            }
        };
        transaction::begin(connection, database)?;
        match work() {
            Ok(Some(loaded)) => {
                let committed = transaction::commit(connection, database);
                committed.map_err(|error| at_commit(seed, error)).map(|()| Some(loaded))
            }
            Ok(None) => connection.execute_batch("rollback").map_err(doing("rolling back")).map(|()| None),
            Err(error) => Err(transaction::rolled_back(connection, error)),
        }
    })
}

/// Makes the digests of a file known without touching its table. Inside a transaction.
pub(super) fn track(connection: &Connection, database: &Database, seed: &RowSeed) -> Result<()> {
    tracked::forget(connection, database, seed)?;
    let bytes = bytes(seed)?;
    let mut reader = Reader::new(&*bytes);
    let Some(header) = reader.next().map_err(|error| error.refusal(seed))? else { return Ok(()) };
    let table = Table::of(connection, seed, header)?;
    let mut writer = tracked::Writer::new(connection, database, seed)?;
    while let Some(record) = reader.next().map_err(|error| error.refusal(seed))? {
        if let Some(key) = table.key_of(record) {
            writer.write(&key, &table.digest_of(record))?;
        }
    }
    Ok(())
}

fn bytes(seed: &RowSeed) -> Result<std::borrow::Cow<'static, [u8]>> {
    match &seed.source {
        RowSource::File(path) => {
            let read = std::fs::read(path);
            read.map(Into::into).map_err(|source| EngineError::Io { path: path.clone(), source })
        }
        RowSource::Embedded(bytes) => Ok((*bytes).into()),
    }
}

struct Load<'a> {
    connection: &'a Connection,
    database: &'a Database,
    seed: &'a RowSeed,
    bytes: &'a [u8],
    observer: &'a mut dyn Observer,
    since: Instant,
}

impl Load<'_> {
    fn run(&mut self) -> Result<Loaded> {
        let mut reader = Reader::new(self.bytes);
        let header = reader.next().map_err(|error| error.refusal(self.seed))?;
        let Some(header) = header else {
            let at = Place { file: self.seed.file.clone(), line: 1, column: 1, text: String::new(), width: 1 };
            let hint = "the first line names the columns".to_owned();
            return Err(refusal("seed/no-header", "the file is empty".to_owned(), Some(at), Some(hint)));
        };
        let table = Table::of(self.connection, self.seed, header)?;
        let keys = self.keys(&mut reader, &table)?;
        let mut loaded = Loaded { rows: keys.len() as u64, ..Loaded::default() };
        let known = match self.seed.mode {
            SeedMode::Tracked => tracked::read(self.connection, self.database, self.seed)?,
            SeedMode::Upsert | SeedMode::Insert | SeedMode::Sync => {
                // Were it tracked again later, old digests would hide what changed in between.
                tracked::forget(self.connection, self.database, self.seed)?;
                Digests::new()
            }
        };
        loaded.deleted = match self.seed.mode {
            SeedMode::Tracked => self.delete_departed(&table, &keys, &known)?,
            SeedMode::Sync => self.delete_others(&table, &keys)?,
            SeedMode::Upsert | SeedMode::Insert => 0,
        };
        self.write_or_trade(&table, &known, &mut loaded)?;
        let is_first = match self.seed.mode {
            SeedMode::Tracked => known.is_empty(),
            SeedMode::Upsert | SeedMode::Insert | SeedMode::Sync => self.seed.entry.attempt <= 1,
        };
        if is_first {
            loaded.overwritten = loaded.updated;
        }
        Ok(loaded)
    }

    /// Reads the whole file: each row's key with its line.
    fn keys(&mut self, reader: &mut Reader<'_>, table: &Table) -> Result<HashMap<String, usize>> {
        let seed = self.seed;
        let mut keys = HashMap::new();
        while let Some(record) = reader.next().map_err(|error| error.refusal(seed))? {
            let at = || Some(record.place(&seed.file, 0));
            if record.len() != table.columns.len() {
                let message = format!("the header has {} fields, this row has {}", table.columns.len(), record.len());
                return Err(refusal("seed/ragged-row", message, at(), None));
            }
            let Some(key) = table.key_of(record) else {
                let message = format!("the key ({}) of this row is NULL", table.key_names().join(", "));
                return Err(refusal("seed/null-key", message, at(), None));
            };
            if let Some(first) = keys.insert(key, record.line) {
                let names = table.key_names().join(", ");
                let message = format!("two rows have one key ({names}): line {first} and line {}", record.line);
                return Err(refusal("seed/key-twice", message, at(), None));
            }
        }
        Ok(keys)
    }

    /// Tracked: deletes what the file had the last time and has no more.
    fn delete_departed(&mut self, table: &Table, keys: &HashMap<String, usize>, known: &Digests) -> Result<u64> {
        let mut departed: Vec<String> = known.keys().filter(|key| !keys.contains_key(*key)).cloned().collect();
        departed.sort();
        let values = departed.iter().map(|key| {
            let parts: Vec<String> = serde_json::from_str(key).unwrap_or_default();
            parts.into_iter().map(Value::Text).collect::<Vec<_>>()
        });
        let values: Vec<Vec<Value>> = values.filter(|parts| parts.len() == table.key.len()).collect();
        let deleted = self.delete(table, &values)?;
        tracked::remove(self.connection, self.database, self.seed, &departed)?;
        Ok(deleted)
    }

    /// Sync: deletes every row whose key is not in the file.
    fn delete_others(&mut self, table: &Table, keys: &HashMap<String, usize>) -> Result<u64> {
        let known = doing("reading the table's keys");
        let names: Vec<String> = table.key_names().into_iter().map(super::names::quote).collect();
        let sql = format!("select {} from {}", names.join(", "), table.sql);
        let mut statement = self.connection.prepare(&sql).map_err(&known)?;
        let mut rows = statement.query([]).map_err(&known)?;
        let mut others = Vec::new();
        while let Some(row) = rows.next().map_err(&known)? {
            let values = (0..names.len()).map(|index| row.get(index)).collect::<rusqlite::Result<Vec<Value>>>();
            let values = values.map_err(&known)?;
            if !table.key_of_row(&values).is_some_and(|key| keys.contains_key(&key)) {
                others.push(values);
            }
        }
        drop(rows);
        self.delete(table, &others)
    }

    fn delete(&mut self, table: &Table, keys: &[Vec<Value>]) -> Result<u64> {
        let known = doing("deleting rows that left the file");
        let sql = format!("delete from {} where {}", table.sql, table.key_matches());
        let mut statement = self.connection.prepare(&sql).map_err(&known)?;
        let mut deleted = 0;
        for (at, key) in keys.iter().enumerate() {
            self.pause(at as u64)?;
            // Foreign keys are deferred: at the commit nothing would say which row it was.
            references::refuse_if_referred_to(self.connection, self.seed, table, key)?;
            deleted += match statement.execute(rusqlite::params_from_iter(key)) {
                Ok(rows) => rows as u64,
                Err(error) if said(&error).failure.code.starts_with("SQLITE_CONSTRAINT") => {
                    return Err(references::in_the_way(self.seed, table, key, &said(&error).failure.message));
                }
                Err(error) => return Err(known(error)),
            };
        }
        Ok(deleted)
    }

    /// Writes the rows; where one has a unique value that another is to give up, by way of putting them aside.
    fn write_or_trade(&mut self, table: &Table, known: &Digests, loaded: &mut Loaded) -> Result<()> {
        let batch = |text: &str| self.connection.execute_batch(text).map_err(doing("writing rows"));
        let before = loaded.clone();
        batch("savepoint dbbuild_rows")?;
        let failed = match self.write(table, known, loaded) {
            Err(error) if trade::is_taken(&error) && self.seed.mode != SeedMode::Insert => error,
            other => return other,
        };
        batch("rollback to dbbuild_rows")?;
        *loaded = before;
        let mut aside = trade::Aside::new(self.connection, self.seed, table)?;
        let mut reader = Reader::new(self.bytes);
        reader.next().map_err(|error| error.refusal(self.seed))?;
        while let Some(record) = reader.next().map_err(|error| error.refusal(self.seed))? {
            let same = |key: &String| known.get(key).is_some_and(|old| *old == table.digest_of(record));
            if !table.key_of(record).as_ref().is_some_and(same) {
                aside.put(record)?;
            }
        }
        // Where they do not fit back, they did not trade: the first error says which row it is.
        let Ok(traded) = aside.put_back() else { return Err(failed) };
        self.write(table, known, loaded)?;
        loaded.updated += traded;
        Ok(())
    }

    fn write(&mut self, table: &Table, known: &Digests, loaded: &mut Loaded) -> Result<()> {
        let preparing = doing("preparing to write rows");
        let update = self.seed.mode != SeedMode::Insert;
        let mut insert = self.connection.prepare(&table.insert(update)).map_err(&preparing)?;
        let sql = format!("select exists (select 1 from {} where {})", table.sql, table.key_matches());
        let mut there = self.connection.prepare(&sql).map_err(&preparing)?;
        let sql = format!("select not exists (select 1 from {})", table.sql);
        let was_empty: bool = self.connection.query_row(&sql, [], |row| row.get(0)).map_err(&preparing)?;
        let mut digests = match self.seed.mode {
            SeedMode::Tracked => Some(tracked::Writer::new(self.connection, self.database, self.seed)?),
            SeedMode::Upsert | SeedMode::Insert | SeedMode::Sync => None,
        };
        let mut reader = Reader::new(self.bytes);
        // The header, which was read before.
        reader.next().map_err(|error| error.refusal(self.seed))?;
        let mut count = 0;
        while let Some(record) = reader.next().map_err(|error| error.refusal(self.seed))? {
            count += 1;
            self.pause(count)?;
            if let Some(digests) = &mut digests
                && let Some(key) = table.key_of(record)
            {
                let digest = table.digest_of(record);
                if known.get(&key).is_some_and(|old| old == &digest) {
                    continue;
                }
                digests.write(&key, &digest)?;
            }
            let failed = |error| failed(self.seed, record, &error);
            let key = table.key.iter().map(|index| table.value(record, *index));
            let existed =
                !was_empty && there.query_row(rusqlite::params_from_iter(key), |row| row.get(0)).map_err(failed)?;
            for index in 0..table.columns.len() {
                insert.raw_bind_parameter(index + 1, table.value(record, index)).map_err(failed)?;
            }
            match (insert.raw_execute().map_err(failed)?, existed) {
                (0, _) => {}
                (_, true) => loaded.updated += 1,
                (_, false) => loaded.inserted += 1,
            }
        }
        Ok(())
    }

    /// Looks at the wish to stop, and says where it is.
    fn pause(&mut self, row: u64) -> Result<()> {
        if !row.is_multiple_of(STRIDE) {
            return Ok(());
        }
        if self.database.interrupt.is_raised() {
            return Err(interrupted());
        }
        if row.is_multiple_of(20 * STRIDE) && self.since.elapsed() > Duration::from_secs(1) {
            let message = format!("{row} rows, {} s", self.since.elapsed().as_secs());
            self.observer.event(Event::Progress { name: self.seed.entry.name.clone(), message, done: None });
        }
        Ok(())
    }
}

/// A row that the database would not take.
fn failed(seed: &RowSeed, record: &Record, error: &rusqlite::Error) -> EngineError {
    if is_interrupt(error) {
        return interrupted();
    }
    of_seed(said(error).failure, record.place(&seed.file, record.len()))
}

fn of_seed(failure: SqlFailure, place: Place) -> EngineError {
    EngineError::Unit(Box::new(UnitFailure { unit: 0, failure, place: Some(place), kept: None }))
}

fn at_commit(seed: &RowSeed, error: EngineError) -> EngineError {
    match error {
        EngineError::Sql { mut failure, .. } if failure.code.starts_with("SQLITE_CONSTRAINT") => {
            failure.hint = Some("a row of this file refers to one that is nowhere".to_owned());
            let at = Place { file: seed.file.clone(), line: 1, column: 1, text: String::new(), width: 1 };
            of_seed(*failure, at)
        }
        other => other,
    }
}
