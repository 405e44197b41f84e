//! Keeps the code objects as their files say, in one transaction.
//!
//! SQLite keeps the text of views and triggers and looks at it when they are used: making one over a table that is
//! not there succeeds, a table that is rebuilt loses its triggers in silence. So what is there is compared by its
//! text, what runs is dropped before, and every view and trigger is prepared at the end, which finds the broken ones.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::catalog::essence;
use super::database::Database;
use super::error::doing;
use super::foreign_keys::{orphans, turn};
use super::names::quote;
use super::run::failed;
use super::{apply, journal, transaction};
use crate::engine::code::{Again, CodeWork, Creation, Kept, creations, is_meant, journaled, key_name, to_journal};
use crate::engine::{EngineError, Mode, Result, Unit};
use crate::event::Observer;
use crate::journal::Run;
use crate::script::Checksum;
use crate::sql::{Dialect, Kind, Name, Tokens, mentions};

const DIALECT: Dialect = Dialect::Sqlite;

/// What of `sqlite_schema` code files keep.
#[derive(Debug, Clone)]
struct Stored {
    kind: Kind,
    name: String,
    table: String,
    sql: String,
}

impl Stored {
    fn digest(&self) -> String {
        Checksum::of_tokens([essence(&self.sql).as_str()]).to_string()
    }
}

/// Does the work. `None` if another builder was faster.
pub(super) fn keep(
    connection: &Connection,
    database: &Database,
    work: &CodeWork,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<Option<Kept>> {
    transaction::retrying(database, "code", observer, |_| {
        if !work.scripts.iter().any(|unit| unit.mode == Mode::ForeignKeysOff) {
            return within(connection, database, work, run, false);
        }
        turn(connection, false)?;
        let result = within(connection, database, work, run, true);
        let on = turn(connection, true);
        result.and_then(|kept| on.map(|()| kept))
    })
}

fn within(
    connection: &Connection,
    database: &Database,
    work: &CodeWork,
    run: &Run,
    check_keys: bool,
) -> Result<Option<Kept>> {
    transaction::begin(connection, database)?;
    let before = check_keys.then(|| orphans(connection).ok()).flatten();
    let keeper = Keeper {
        connection,
        database,
        work,
        run,
        creations: work.files.iter().map(|file| creations(&file.unit, DIALECT)).collect(),
        owned: BTreeMap::new(),
        dropped: BTreeSet::new(),
        there: BTreeMap::new(),
    };
    let kept = keeper.go().and_then(|kept| {
        if let Some(before) = before {
            apply::check(connection, &work.scripts, &before)?;
        }
        Ok(kept)
    });
    match kept {
        Ok(Some(kept)) => transaction::commit(connection, database).map(|()| Some(kept)),
        Ok(None) => {
            connection.execute_batch("rollback").map_err(doing("rolling back"))?;
            Ok(None)
        }
        Err(error) => Err(transaction::rolled_back(connection, error)),
    }
}

struct Keeper<'a> {
    connection: &'a Connection,
    database: &'a Database,
    work: &'a CodeWork,
    run: &'a Run,
    /// The statements of each file that make code objects.
    creations: Vec<Vec<Creation>>,
    /// What each journaled file made: the object's key and its digest.
    owned: BTreeMap<String, Vec<(String, Option<String>)>>,
    dropped: BTreeSet<String>,
    /// What is in the database now.
    there: BTreeMap<String, Stored>,
}

impl Keeper<'_> {
    fn go(mut self) -> Result<Option<Kept>> {
        let work = self.work;
        self.there = self.schema()?;
        self.recall()?;
        let mut kept = Kept::default();
        for at in 0..work.scripts.len() {
            self.suspend(&work.scripts[at])?;
            match apply::one(self.connection, self.database, &work.scripts, at, self.run)? {
                Some(applied) => kept.scripts.push(applied),
                None => return Ok(None),
            }
            self.there = self.schema()?;
        }
        if work.is_whole {
            self.drop_gone()?;
            if !self.files(&mut kept)? {
                return Ok(None);
            }
            self.check()?;
            self.write(&kept)?;
            if kept.files.is_empty()
                && journal::write(self.connection, self.database, &work.marker, self.run)?.is_none()
            {
                return Ok(None);
            }
        }
        kept.dropped = self.dropped.iter().filter(|key| !self.there.contains_key(*key)).cloned().collect();
        Ok(Some(kept))
    }

    /// Reads views, triggers and indexes by their keys.
    fn schema(&self) -> Result<BTreeMap<String, Stored>> {
        let known = doing("reading the code objects");
        let mut statement = self
            .connection
            .prepare("select type, name, tbl_name, sql from sqlite_schema where type in ('view', 'trigger', 'index') and sql is not null")
            .map_err(&known)?;
        let rows = statement.query_map([], |row| {
            let kind: String = row.get(0)?;
            let kind = match kind.as_str() {
                "view" => Kind::View,
                "trigger" => Kind::Trigger,
                _ => Kind::Index,
            };
            Ok(Stored { kind, name: row.get(1)?, table: row.get(2)?, sql: row.get(3)? })
        });
        let mut found = BTreeMap::new();
        for stored in rows.map_err(&known)? {
            let stored = stored.map_err(&known)?;
            found.insert(key(stored.kind, &stored.name), stored);
        }
        Ok(found)
    }

    /// Reads from the journal what the files made, and notes the digests that are not there yet.
    fn recall(&mut self) -> Result<()> {
        let known = doing("reading the journal");
        let sql = format!(
            "select key, state, objects, max(attempt) from {} where project = ?1 and kind = 'code' and state <> 'running' group by key",
            self.database.names.journal
        );
        let mut statement = self.connection.prepare(&sql).map_err(&known)?;
        let rows = statement.query_map([&self.work.marker.project], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
        });
        for row in rows.map_err(&known)? {
            let (file, state, objects) = row.map_err(&known)?;
            if state == "reverted" {
                continue;
            }
            let mut objects = objects.as_deref().map(journaled).unwrap_or_default();
            for (object, digest) in &mut objects {
                if digest.is_none()
                    && let Some((kind, name)) = key_name(object, DIALECT)
                {
                    *object = key(kind, name.object());
                    *digest = self.there.get(object.as_str()).map(Stored::digest);
                }
            }
            self.owned.insert(file, objects);
        }
        Ok(())
    }

    fn is_code(&self, key: &str) -> bool {
        self.owned.values().flatten().any(|(owned, _)| owned == key)
            || self.creations.iter().flatten().any(|creation| creation_key(creation) == key)
    }

    /// Drops objects; triggers on views go with them, and must be code objects too.
    fn take<'k>(&mut self, keys: impl IntoIterator<Item = &'k String>) -> Result<()> {
        let there = &self.there;
        let keys: BTreeSet<&String> = keys.into_iter().filter(|key| there.contains_key(*key)).collect();
        for key in &keys {
            let Some(stored) = there.get(*key).filter(|stored| stored.kind == Kind::View) else { continue };
            for (other, trigger) in there.iter().filter(|(_, other)| other.kind == Kind::Trigger) {
                if trigger.table.eq_ignore_ascii_case(&stored.name) && !self.is_code(other) {
                    return Err(EngineError::Refused {
                        code: "code/depended-on",
                        message: format!(
                            "{key} must be dropped to be made anew, and {other}, which is no code object, would go with it"
                        ),
                        place: None,
                        hint: Some("drop it in a script, or make it a code object too".into()),
                    });
                }
            }
        }
        for key in keys {
            // A trigger may have gone with its view.
            let Some(stored) = self.there.remove(key) else { continue };
            if stored.kind == Kind::View {
                let goes =
                    |other: &Stored| other.kind == Kind::Trigger && other.table.eq_ignore_ascii_case(&stored.name);
                self.there.retain(|_, other| !goes(other));
            }
            let sql = format!("drop {} if exists {}", stored.kind, quote(&stored.name));
            self.connection.execute_batch(&sql).map_err(doing("dropping a code object"))?;
            self.dropped.insert(key.clone());
        }
        Ok(())
    }

    /// Takes away what a script suspends, and every code object that mentions it, directly or not: SQLite reads all
    /// views and triggers again when a table is altered.
    fn suspend(&mut self, unit: &Unit) -> Result<()> {
        if unit.suspends.is_empty() {
            return Ok(());
        }
        let there = &self.there;
        let mut away: BTreeSet<String> = BTreeSet::new();
        for (file, objects) in &self.owned {
            for (object, _) in objects.iter().filter(|(object, _)| there.contains_key(object)) {
                if unit.suspends.iter().any(|name| is_meant(name, object, DIALECT) || is_stem(file, name)) {
                    away.insert(object.clone());
                }
            }
        }
        loop {
            let names: BTreeSet<String> = away
                .iter()
                .filter_map(|key| key_name(key, DIALECT))
                .map(|(_, name)| name.object().to_owned())
                .collect();
            let follows = |(key, stored): &(&String, &Stored)| {
                !away.contains(*key)
                    && self.owned.values().flatten().any(|(owned, _)| owned == *key)
                    && mentions(Tokens::of(&stored.sql, DIALECT))
                        .iter()
                        .any(|mention| names.contains(mention.name.object()))
            };
            let more: Vec<String> = there.iter().filter(follows).map(|(key, _)| key.clone()).collect();
            if more.is_empty() {
                break;
            }
            away.extend(more);
        }
        self.take(&away)
    }

    /// Drops what files made that are not there any more, if that was asked for.
    fn drop_gone(&mut self) -> Result<()> {
        for gone in &self.work.gone {
            let objects = self.owned.get(&gone.entry.key).cloned().unwrap_or_default();
            let is_made = |key: &String| self.creations.iter().flatten().any(|creation| creation_key(creation) == *key);
            let left: Vec<String> = objects
                .into_iter()
                .map(|(key, _)| key)
                .filter(|key| !is_made(key) && self.there.contains_key(key))
                .collect();
            if gone.drop {
                self.take(&left)?;
            }
            if gone.drop || left.is_empty() {
                journal::write(self.connection, self.database, &gone.entry, self.run)?;
            }
        }
        Ok(())
    }

    /// Runs each file that has to run; false if another builder took one.
    fn files(&mut self, kept: &mut Kept) -> Result<bool> {
        let work = self.work;
        let mut done = BTreeSet::new();
        // A view that went took its triggers along, whose file may have run before.
        for pass in 0..3 {
            let mut is_calm = true;
            for (at, file) in work.files.iter().enumerate() {
                let again = match self.why(at) {
                    _ if pass == 0 && file.is_due => Again::Due,
                    Some(again) => again,
                    None => continue,
                };
                is_calm = false;
                let is_first = done.insert(at);
                match self.file(at, is_first)? {
                    Some(applied) if is_first => kept.files.push((at, applied, again)),
                    Some(_) => {}
                    None => return Ok(false),
                }
            }
            if is_calm {
                break;
            }
        }
        Ok(true)
    }

    fn why(&self, at: usize) -> Option<Again> {
        let there = &self.there;
        let owned = self.owned.get(&self.work.files[at].unit.entry.key)?;
        let differs = |(key, digest): &(String, Option<String>)| {
            digest.is_some() && there.get(key).map(Stored::digest) != *digest
        };
        if owned.iter().any(|(key, _)| !there.contains_key(key)) {
            Some(Again::Absent)
        } else {
            owned.iter().any(differs).then_some(Again::Different)
        }
    }

    /// Runs a file after what it made went away.
    fn file(&mut self, at: usize, is_first: bool) -> Result<Option<crate::engine::Applied>> {
        let unit = &self.work.files[at].unit;
        let units = std::slice::from_ref(unit);
        let mut mine: BTreeSet<String> = BTreeSet::new();
        let owned_by_others = |key: &String| {
            self.work.files.iter().enumerate().any(|(other, file)| {
                other != at
                    && self.creations[other].iter().any(|creation| creation_key(creation) == *key)
                    && self.owned.get(&file.unit.entry.key).into_iter().flatten().any(|(owned, _)| owned == key)
            })
        };
        let owned = self.owned.get(&unit.entry.key).into_iter().flatten().map(|(key, _)| key.clone());
        mine.extend(owned.filter(|key| !owned_by_others(key)));
        let by_journal = |key: &String| self.owned.values().flatten().any(|(owned, _)| owned == key);
        // What no code file made stays, unless it is what this one makes: in a database that was adopted.
        let is_same = |creation: &&Creation| {
            let text =
                unit.parts.get(creation.part).and_then(|part| unit.text.as_str().get(part.span.start..part.span.end));
            let there = self.there.get(&creation_key(creation));
            there.zip(text).is_some_and(|(there, text)| essence(&there.sql) == essence(text.trim_end_matches(';')))
        };
        mine.extend(self.creations[at].iter().filter(is_same).map(creation_key));
        mine.extend(self.creations[at].iter().map(creation_key).filter(by_journal));
        self.take(&mine)?;
        let applied = if is_first {
            apply::one(self.connection, self.database, units, 0, self.run)?
        } else {
            apply::parts(self.connection, self.database, units, 0, None).map(Some)?
        };
        let Some(applied) = applied else { return Ok(None) };
        self.there = self.schema()?;
        let made: Vec<(String, Option<String>)> = self.creations[at]
            .iter()
            .map(creation_key)
            .filter_map(|key| self.there.get(&key).map(|stored| (key, Some(stored.digest()))))
            .collect();
        self.owned.insert(unit.entry.key.clone(), made);
        Ok(Some(applied))
    }

    /// Prepares every view and trigger of the files: SQLite says then whether what it needs is there.
    fn check(&self) -> Result<()> {
        let there = &self.there;
        for (at, creations) in self.creations.iter().enumerate() {
            let units = std::slice::from_ref(&self.work.files[at].unit);
            for creation in creations {
                let Some(stored) = there.get(&creation_key(creation)) else { continue };
                let sql = match stored.kind {
                    Kind::View => Some(format!("select * from main.{}", quote(&stored.name))),
                    Kind::Trigger => self.firing(stored)?,
                    _ => None,
                };
                if let Some(sql) = sql
                    && let Err(error) = self.connection.prepare(&sql)
                {
                    let span = units[0].parts[creation.part].span;
                    return Err(failed(units, 0, span, &without_offset(error)));
                }
            }
        }
        Ok(())
    }

    /// Returns a statement that a trigger would fire on; nothing is run.
    fn firing(&self, trigger: &Stored) -> Result<Option<String>> {
        let mut tokens = Tokens::of(&trigger.sql, DIALECT);
        tokens.skip_to_any(&["insert", "update", "delete"]);
        let table = quote(&trigger.table);
        if tokens.at_word("insert") {
            return Ok(Some(format!("insert into main.{table} default values")));
        }
        if tokens.at_word("delete") {
            return Ok(Some(format!("delete from main.{table}")));
        }
        let known = doing("reading a table's columns");
        let mut statement = self.connection.prepare("select name from pragma_table_info(?1)").map_err(&known)?;
        let names = statement.query_map([&trigger.table], |row| row.get::<_, String>(0)).map_err(&known)?;
        let names: Vec<String> = names.collect::<rusqlite::Result<_>>().map_err(&known)?;
        let sets: Vec<String> = names.iter().map(|name| format!("{0} = {0}", quote(name))).collect();
        Ok((!sets.is_empty()).then(|| format!("update main.{table} set {}", sets.join(", "))))
    }

    /// Writes what the files made, and the digests that were not known before.
    fn write(&self, kept: &Kept) -> Result<()> {
        let ran: BTreeSet<&str> =
            kept.files.iter().map(|(at, ..)| self.work.files[*at].unit.entry.key.as_str()).collect();
        let sql = format!(
            "update {0} set objects = ?1
              where project = ?2 and kind = 'code' and key = ?3 and objects is not ?1
                and attempt = (select max(attempt) from {0} where project = ?2 and kind = 'code' and key = ?3)",
            self.database.names.journal
        );
        for (file, objects) in
            self.owned.iter().filter(|(file, objects)| ran.contains(file.as_str()) || !objects.is_empty())
        {
            let text = to_journal(objects);
            self.connection
                .execute(&sql, (&text, &self.work.marker.project, file))
                .map_err(doing("writing the journal"))?;
        }
        Ok(())
    }
}

/// The offset is one into the statement that was prepared, not into the file.
fn without_offset(error: rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqlInputError { error, msg, .. } => rusqlite::Error::SqliteFailure(error, Some(msg)),
        other => other,
    }
}

fn key(kind: Kind, name: &str) -> String {
    format!("{kind} {}", Name::new([name.to_ascii_lowercase()]))
}

fn creation_key(creation: &Creation) -> String {
    key(creation.kind, creation.name.object())
}

/// Returns true if a name is a file's: `customer_view` of `db/code/customer_view.sql`.
fn is_stem(file: &str, name: &str) -> bool {
    file.rsplit('/').next().and_then(|last| last.split('.').next()) == Some(name)
}
