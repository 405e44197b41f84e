//! Which files run, and what they make.

use super::super::catalog::essence;
use super::*;
use crate::engine::Applied;
use crate::engine::code::{Again, MOST_ROUNDS, about_strangers, never_ends};

impl Keeper<'_> {
    /// Runs each file that has to run; false if another builder took one.
    pub(super) fn files(&mut self, kept: &mut Kept) -> Result<bool> {
        let work = self.work;
        let mut done = BTreeSet::new();
        // A view that went took its triggers along, whose file may have run before.
        for _ in 0..MOST_ROUNDS {
            let mut is_calm = true;
            for (at, file) in work.files.iter().enumerate() {
                let again = match self.why(&file.unit.entry.key) {
                    _ if file.is_due && !done.contains(&at) => Again::Due,
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
                return Ok(true);
            }
        }
        let restless = work.files.iter().filter(|file| self.why(&file.unit.entry.key).is_some());
        Err(never_ends(restless.map(|file| file.unit.text.file())))
    }

    /// Says why a file runs again that nobody touched, if it does.
    pub(super) fn why(&self, file: &str) -> Option<Again> {
        let there = &self.there;
        let owned = self.owned.get(file)?;
        let differs = |owned: &Owned| {
            owned.digest.is_some() && there.get(&owned.object).map(Stored::digest) != owned.digest.as_deref()
        };
        if owned.iter().any(|owned| !there.contains_key(&owned.object)) {
            Some(Again::Absent)
        } else {
            owned.iter().any(differs).then_some(Again::Different)
        }
    }

    /// Runs a file after what it made went away.
    fn file(&mut self, at: usize, is_first: bool) -> Result<Option<Applied>> {
        let unit = &self.work.files[at].unit;
        let units = std::slice::from_ref(unit);
        let old = self.owned_by(at).filter(|key| !self.is_others(at, key)).cloned();
        // What no code file made stays, unless it is what this one makes: in a database that was adopted.
        let is_its =
            |creation: &&Creation| self.is_owned(&creation_key(creation)) || self.is_there_already(unit, creation);
        let mine: BTreeSet<String> = old.chain(self.creations[at].iter().filter(is_its).map(creation_key)).collect();
        self.take(&mine)?;
        let applied = if is_first {
            apply::one(self.connection, self.database, units, 0, self.run)
        } else {
            apply::parts(self.connection, self.database, units, 0, None).map(Some)
        };
        let Some(applied) = applied.map_err(with_stranger)? else { return Ok(None) };
        self.look(at)?;
        let owned = |object: String| {
            let digest = Some(self.there.get(&object)?.digest().to_owned());
            Some(Owned { object, digest, id: None, stamp: None })
        };
        let made: Vec<Owned> = self.creations[at].iter().map(creation_key).filter_map(owned).collect();
        self.owned.insert(unit.entry.key.clone(), made);
        Ok(Some(applied))
    }

    /// Looks at what a file made; at everything if it does more than that.
    fn look(&mut self, at: usize) -> Result<()> {
        let creations = &self.creations[at];
        if creations.len() < self.work.files[at].unit.parts.len() {
            self.there = schema::read(self.connection)?;
            return Ok(());
        }
        let names: Vec<&str> = creations.iter().map(|creation| creation.name.object()).collect();
        self.there.extend(schema::named(self.connection, &names)?);
        Ok(())
    }

    /// Returns true if an object belongs to another file by now: its text moved there.
    fn is_others(&self, at: usize, key: &String) -> bool {
        (0..self.work.files.len()).filter(|other| *other != at).any(|other| {
            self.creations[other].iter().any(|creation| creation_key(creation) == *key)
                && self.owned_by(other).any(|owned| owned == key)
        })
    }

    /// Returns true if what a statement would make is there, word for word.
    fn is_there_already(&self, unit: &Unit, creation: &Creation) -> bool {
        let text =
            unit.parts.get(creation.part).and_then(|part| unit.text.as_str().get(part.span.start..part.span.end));
        let there = self.there.get(&creation_key(creation));
        there.zip(text).is_some_and(|(there, text)| essence(&there.sql) == essence(text.trim_end_matches(';')))
    }
}

/// Adds to a failure what stands under the name that a file makes, and no code file made.
fn with_stranger(mut error: EngineError) -> EngineError {
    if let EngineError::Unit(unit) = &mut error
        && let Some(stranger) = unit.failure.message.strip_suffix(" already exists")
    {
        unit.failure.hint = Some(about_strangers(&[stranger.to_owned()]));
    }
    error
}
