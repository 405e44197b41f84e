//! Whether every view and trigger can work: SQLite says so when a statement that uses one is prepared.

use super::super::names::quote;
use super::super::run::failed;
use super::schema::key;
use super::*;
use crate::sql::{Tokens, mentions};

impl Keeper<'_> {
    /// Prepares every view and trigger of the files: SQLite says then whether what it needs is there. Those of files that
    /// were left out are as they were, and so is what they need.
    pub(super) fn check(&self) -> Result<()> {
        for (at, creations) in self.creations.iter().enumerate() {
            let units = std::slice::from_ref(&self.work.files[at].unit);
            for creation in creations {
                let Some(stored) = self.there.get(&creation_key(creation)) else { continue };
                if let Some(error) = self.trouble(stored)? {
                    let span = units[0].parts[creation.part].span;
                    return Err(failed(units, 0, span, &without_offset(error)));
                }
            }
        }
        Ok(())
    }

    /// Returns the views and triggers that are no code objects, mention some, and work.
    pub(super) fn sound_strangers(&self) -> Vec<String> {
        let code: BTreeSet<&String> = self.owned.values().flatten().map(|owned| &owned.object).collect();
        let (mut names, mut strangers) = (BTreeSet::new(), Vec::new());
        for (key, stored) in &self.there {
            if code.contains(key) {
                names.insert(stored.name.to_ascii_lowercase());
            } else {
                strangers.push(stored);
            }
        }
        let mut found: Vec<&Stored> = Vec::new();
        // One may rest on another.
        loop {
            let (more, others): (Vec<&Stored>, Vec<&Stored>) =
                strangers.into_iter().partition(|stored| speaks_of(stored, &names));
            if more.is_empty() {
                break;
            }
            names.extend(more.iter().map(|stored| stored.name.to_ascii_lowercase()));
            found.extend(more);
            strangers = others;
        }
        let works = |stored: &&Stored| matches!(self.trouble(stored), Ok(None));
        found.into_iter().filter(works).map(|stored| key(stored.kind, &stored.name)).collect()
    }

    /// Refuses to break what is no code object: SQLite would say so only when it is used.
    pub(super) fn check_strangers(&self, sound: &[String]) -> Result<()> {
        for stranger in sound {
            let Some(stored) = self.there.get(stranger) else { continue };
            if let Some(error) = self.trouble(stored)? {
                return Err(EngineError::Refused {
                    code: "code/depended-on",
                    message: format!(
                        "{stranger}, which is no code object, would not work any more: {}",
                        without_offset(error)
                    ),
                    place: None,
                    hint: Some("drop it in a script, or make it a code object too".into()),
                });
            }
        }
        Ok(())
    }

    /// Returns what is wrong with a view or trigger.
    fn trouble(&self, stored: &Stored) -> Result<Option<rusqlite::Error>> {
        let sql = match stored.kind {
            Kind::View => Some(format!("select * from main.{}", quote(&stored.name))),
            Kind::Trigger => self.firing(stored)?,
            _ => None,
        };
        Ok(sql.and_then(|sql| self.connection.prepare(&sql).err()))
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
}

/// Returns true if a text speaks of something by one of these names, which are in small letters.
fn speaks_of(stored: &Stored, names: &BTreeSet<String>) -> bool {
    let mentions = mentions(Tokens::of(&stored.sql, DIALECT));
    mentions.iter().any(|mention| names.contains(&mention.name.object().to_ascii_lowercase()))
}

/// The offset is one into the statement that was prepared, not into the file.
fn without_offset(error: rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqlInputError { error, msg, .. } => rusqlite::Error::SqliteFailure(error, Some(msg)),
        other => other,
    }
}
