//! Taking code objects away: those that a script suspends, and those whose file is not there any more.

use super::super::names::quote;
use super::*;
use crate::engine::code::{is_meant, is_stem, key_name};
use crate::sql::{Tokens, mentions};

impl Keeper<'_> {
    /// Drops objects; triggers on views go with them, and must be code objects too.
    pub(super) fn take<'k>(&mut self, keys: impl IntoIterator<Item = &'k String>) -> Result<()> {
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
    pub(super) fn suspend(&mut self, unit: &Unit) -> Result<()> {
        if unit.suspends.is_empty() {
            return Ok(());
        }
        let there = &self.there;
        let mut away: BTreeSet<String> = BTreeSet::new();
        for (file, objects) in &self.owned {
            for object in objects.iter().map(|owned| &owned.object).filter(|object| there.contains_key(*object)) {
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
                    && self.is_owned(key)
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
    pub(super) fn drop_gone(&mut self) -> Result<()> {
        for gone in &self.work.gone {
            let objects = self.owned.get(&gone.entry.key).cloned().unwrap_or_default();
            let owns =
                |file: &String, key: &str| self.owned.get(file).into_iter().flatten().any(|owned| owned.object == key);
            let is_made = |key: &String| {
                self.creations.iter().flatten().any(|creation| creation_key(creation) == *key)
                    || self.work.others.iter().any(|file| owns(file, key))
            };
            let left: Vec<String> = objects
                .into_iter()
                .map(|owned| owned.object)
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
}
