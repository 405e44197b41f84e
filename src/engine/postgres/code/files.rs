//! Which files run, in which order, and what follows from what they made.

use super::*;
use crate::engine::code::{MOST_ROUNDS, never_ends};
use crate::sql::{Span, Tokens};

/// What a server answers when something that a text needs is not there.
const IS_MISSING: [&str; 6] = ["42P01", "42883", "42704", "42703", "3F000", "42P02"];

impl<'a> Keeper<'a, '_> {
    /// Runs each file that has to run; false if one of them was left out.
    pub(super) fn files(&mut self, kept: &mut Kept, observer: &mut dyn Observer) -> Halting<'a, bool> {
        let before = self.examine().map_err(own)?;
        if self.work.others.iter().any(|file| self.is_off(file, &before)) {
            return Ok(false);
        }
        let mut ran: BTreeMap<usize, (Applied, Again)> = BTreeMap::new();
        for _ in 0..MOST_ROUNDS {
            let (mut is_calm, mut late) = (true, None);
            for (at, file) in self.work.files.iter().enumerate() {
                let of = |stop| (Some(&file.unit), stop);
                let Some(again) = self.why(at, &before).map_err(of)? else { continue };
                if again == Again::Follows && !self.would_differ(at).map_err(of)? {
                    self.dirty[at] = false;
                    continue;
                }
                match self.file(at, observer) {
                    Ok(applied) => {
                        is_calm = false;
                        let first = ran.get(&at).map_or(again, |(_, first)| *first);
                        ran.insert(at, (applied, first));
                    }
                    // What it needs may come later: the order is that of the texts, which do not tell everything.
                    Err((unit, stop)) if IS_MISSING.contains(&stop.code()) => {
                        self.take_back().map_err(of)?;
                        late.get_or_insert((unit, stop));
                    }
                    Err(halt) => return Err(halt),
                }
            }
            match late {
                Some(halt) if is_calm => return Err(halt),
                None if is_calm => {
                    kept.files = ran.into_iter().map(|(at, (applied, again))| (at, applied, again)).collect();
                    return Ok(!self.work.others.iter().any(|file| self.is_off(file, &before)));
                }
                _ => {}
            }
        }
        let restless = self.work.files.iter().zip(&self.dirty).filter(|(_, dirty)| **dirty);
        Err(own(never_ends(restless.map(|(file, _)| file.unit.text.file())).into()))
    }

    /// Looks at what the files made as it is now. As long as no script ran, what was not written since it was looked at
    /// is as it was: nobody asks for its definition.
    fn examine(&mut self) -> Step<HashMap<String, Known>> {
        let here: BTreeSet<&str> = self.work.files.iter().map(|file| file.unit.entry.key.as_str()).collect();
        let (is_settled, there) = (self.is_settled, &self.there);
        let is_known = |file: &str, owned: &Owned| {
            is_settled
                && !here.contains(file)
                && owned.digest.is_some()
                && there.get(&owned.object) == owned.stamp.as_ref()
        };
        let all = self.owned.iter().flat_map(|(file, objects)| objects.iter().map(move |owned| (file, owned)));
        let keys: Vec<String> =
            all.filter(|(file, owned)| !is_known(file, owned)).map(|(_, owned)| owned.object.clone()).collect();
        let found = by_keys(self.link, keys.iter().map(String::as_str))?;
        self.shapes = found.iter().map(|known| (known.key.clone(), known.shape.clone())).collect();
        let found: HashMap<String, Known> = found.into_iter().map(|known| (known.key.clone(), known)).collect();
        for (file, objects) in &mut self.owned {
            for owned in objects {
                let Some(known) = found.get(&owned.object) else { continue };
                if owned.digest.as_ref() == Some(&known.digest) && owned.stamp.as_ref() != Some(&known.stamp) {
                    owned.stamp = Some(known.stamp.clone());
                    self.learnt.insert(file.clone());
                }
            }
        }
        if !self.is_settled {
            self.there = found.values().map(|known| (known.key.clone(), known.stamp.clone())).collect();
        }
        Ok(found)
    }

    /// Returns true if what a file that was left out made is not there, or not as the file made it.
    fn is_off(&self, file: &str, before: &HashMap<String, Known>) -> bool {
        let owned = self.owned.get(file).into_iter().flatten();
        owned.clone().any(|owned| self.is_away(owned)) || owned.clone().any(|owned| is_another(owned, before))
    }

    /// Returns true if an object is not there, or not under its name.
    fn is_away(&self, owned: &Owned) -> bool {
        let key = &owned.object;
        !self.there.contains_key(key) || self.dropped.contains(key) || self.renamed.contains(key)
    }

    /// Says why a file runs, or runs again, if it does.
    fn why(&mut self, at: usize, before: &HashMap<String, Known>) -> Step<Option<Again>> {
        if self.made.contains_key(&at) {
            return Ok(self.dirty[at].then_some(Again::Follows));
        }
        if self.work.files[at].is_due {
            return Ok(Some(Again::Due));
        }
        let Some(owned) = self.owned.get(self.key(at)) else { return Ok(None) };
        if owned.iter().any(|owned| self.is_away(owned)) {
            Ok(Some(Again::Absent))
        } else if owned.iter().any(|owned| is_another(owned, before)) {
            Ok(Some(Again::Different))
        } else if self.dirty[at] || self.is_outgrown(at)? {
            Ok(Some(Again::Follows))
        } else {
            Ok(None)
        }
    }

    /// Returns true if a text that asks for all columns would get others now than when it ran: the server keeps the
    /// columns that a table had then.
    fn is_outgrown(&mut self, at: usize) -> Step<bool> {
        if self.is_settled {
            return Ok(false);
        }
        let unit = &self.work.files[at].unit;
        for creation in self.creations[at].clone() {
            let asks_for_all = unit.parts.get(creation.part).is_some_and(|part| has_star(unit, part.span));
            if asks_for_all && probe::can_tell(creation.kind, unit) && !self.is_same(at, &creation)? {
                self.dirty[at] = true;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns false if a file makes materialized views only, and would make them as they are: they may be large.
    fn would_differ(&mut self, at: usize) -> Step<bool> {
        let creations = self.creations[at].clone();
        if !creations.iter().any(|creation| creation.kind == Kind::MaterializedView) {
            let text = self.work.files[at].unit.text.as_str();
            let is_bound = |creation: &Creation| matches!(creation.kind, Kind::View | Kind::Rule | Kind::Policy);
            return Ok(creations.iter().any(is_bound) || text.to_ascii_lowercase().contains("atomic"));
        }
        for creation in &creations {
            if !matches!(creation.kind, Kind::MaterializedView | Kind::Index) {
                return Ok(true);
            }
            if creation.kind == Kind::MaterializedView && !self.is_same(at, creation)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns true if an object is there as its text would make it.
    pub(super) fn is_same(&mut self, at: usize, creation: &Creation) -> Step<bool> {
        let there = self.named(creation.kind, &creation.name, creation.table.as_ref())?;
        match there.as_slice() {
            [known] => probe::is_same(self.link, &self.work.files[at].unit, creation, known),
            _ => Ok(false),
        }
    }

    /// Notes what a file made, drops what its old text made beside that, and marks what follows.
    pub(super) fn settle(&mut self, at: usize, made: Vec<Known>) -> Step {
        self.refuse_twice(at, &made)?;
        self.dropped.retain(|key| !made.iter().any(|known| known.key == *key));
        let mut is_new_shape = false;
        for known in &made {
            let was = self.shapes.insert(known.key.clone(), known.shape.clone());
            is_new_shape |= was.as_ref() != Some(&known.shape);
        }
        self.dirty[at] = false;
        let is_stale =
            |key: &&String| !made.iter().any(|known| known.key == **key) && !self.is_made_by_another(at, key);
        let stale: Vec<String> = self.owned_by(at).filter(is_stale).cloned().collect();
        self.made.insert(at, made);
        if !stale.is_empty() {
            let stale = by_keys(self.link, stale.iter().map(String::as_str))?;
            self.take(&stale)?;
        }
        if is_new_shape {
            for other in &self.needed_by[at] {
                // A file that is due and has not run yet runs anyway.
                let has_run = !self.work.files[*other].is_due || self.made.contains_key(other);
                self.dirty[*other] |= has_run && *other != at;
            }
        }
        Ok(())
    }

    /// Refuses a routine that another file has made in this transaction: the texts do not tell that.
    fn refuse_twice(&self, at: usize, made: &[Known]) -> Step {
        if !self.creations[at].iter().any(|creation| text::is_routine_kind(creation.kind)) {
            return Ok(());
        }
        let file = |at: usize| self.work.files[at].unit.text.file();
        for (other, theirs) in self.made.iter().filter(|(other, _)| **other != at) {
            if let Some(twice) = made.iter().find(|known| theirs.iter().any(|other| other.key == known.key)) {
                return Err(EngineError::Refused {
                    code: "code/twice",
                    message: format!("{} is made by {} and by {}", twice.key, file(*other), file(at)),
                    place: None,
                    hint: Some("keep it in one of them".into()),
                }
                .into());
            }
        }
        Ok(())
    }

    /// Returns true if another file made it in this transaction, or has it by the journal and is still there.
    pub(super) fn is_made_by_another(&self, at: usize, key: &str) -> bool {
        (0..self.work.files.len()).filter(|other| *other != at).any(|other| match self.made.get(&other) {
            Some(made) => made.iter().any(|known| known.key == key),
            None => self.owned_by(other).any(|owned| owned == key),
        })
    }
}

/// Returns true if an object is not the one that its file made. A server of another version has other words for it.
fn is_another(owned: &Owned, before: &HashMap<String, Known>) -> bool {
    match (before.get(&owned.object), &owned.digest) {
        (Some(known), Some(digest)) => known.digest != *digest && major(&known.digest) == major(digest),
        _ => false,
    }
}

/// Returns true if a text asks for all columns of something: `*` is between words, and not alone in parentheses.
fn has_star(unit: &Unit, span: Span) -> bool {
    let tokens = Tokens::new(unit.text.as_str(), span, DIALECT);
    let texts: Vec<&str> = tokens.map(|token| token.text(unit.text.as_str())).collect();
    texts.windows(3).any(|three| three[1] == "*" && three != ["(", "*", ")"])
}

fn major(digest: &str) -> &str {
    digest.split_once(':').map_or("", |(major, _)| major)
}
