//! Runs the text of a code file, and tells what it made.

use super::*;

impl Keeper<'_, '_> {
    /// Returns the objects that a file made before, and those that stand under the names that it makes.
    pub(super) fn mine(&mut self, at: usize) -> std::result::Result<Vec<Known>, Stop> {
        let keys: Vec<String> = self
            .owned
            .get(&self.work.files[at].unit.entry.key)
            .into_iter()
            .flatten()
            .map(|(key, _)| key.clone())
            .filter(|key| !self.is_made_by_another(at, key))
            .collect();
        let mut all = by_keys(self.link, keys.iter().map(String::as_str))?;
        for creation in self.creations[at].clone() {
            let kinds: &[Kind] = match creation.kind {
                Kind::View | Kind::MaterializedView => &[Kind::View, Kind::MaterializedView],
                Kind::Function | Kind::Procedure | Kind::Aggregate => continue,
                _ => std::slice::from_ref(&creation.kind),
            };
            for kind in kinds {
                for known in self.named(*kind, &creation.name, creation.table.as_ref())? {
                    if !all.iter().any(|other| other.key == known.key) {
                        all.push(known);
                    }
                }
            }
        }
        Ok(all)
    }

    /// Returns the routines under the names that a file makes, with what changes when they are written.
    pub(super) fn routines(&mut self, at: usize) -> std::result::Result<HashMap<String, String>, Stop> {
        let mut found = HashMap::new();
        for creation in self.creations[at].clone() {
            if is_routine_kind(creation.kind) {
                let known = self.named(creation.kind, &creation.name, None)?;
                found.extend(known.into_iter().map(|known| (known.key, known.stamp)));
            }
        }
        Ok(found)
    }

    /// Returns the objects that a file has just made: routines by what was written, others by their names.
    pub(super) fn made_by(
        &mut self,
        at: usize,
        routines: &HashMap<String, String>,
    ) -> std::result::Result<Vec<Known>, Stop> {
        let mut made: Vec<Known> = Vec::new();
        for creation in self.creations[at].clone() {
            let is_routine = is_routine_kind(creation.kind);
            for known in self.named(creation.kind, &creation.name, creation.table.as_ref())? {
                let is_its = !is_routine || routines.get(&known.key) != Some(&known.stamp);
                if is_its && !made.iter().any(|other| other.key == known.key) {
                    made.push(known);
                }
            }
        }
        Ok(made)
    }

    /// Runs the statements of a file. Behind each that makes an object, what was said of it is said again, so that
    /// what the text itself says of it counts.
    pub(super) fn parts(
        &mut self,
        at: usize,
        applied: &mut Applied,
        observer: &mut dyn Observer,
    ) -> std::result::Result<(), Stop> {
        let unit = &self.work.files[at].unit;
        let mut groups = Groups::new();
        for (index, part) in unit.parts.iter().enumerate() {
            let creation = self.creations[at].iter().find(|creation| creation.part == index).cloned();
            if !guard::lets_run(self.link, unit, part, &mut groups)? {
                applied.skipped += 1;
                continue;
            }
            if let Some(creation) = &creation
                && matches!(creation.kind, Kind::MaterializedView | Kind::Index)
            {
                // `if not exists` would keep the old one, and one that is the same need not be made again.
                if creation.kind == Kind::MaterializedView && self.is_same(at, creation)? {
                    applied.skipped += 1;
                    continue;
                }
                let mut there = self.named(creation.kind, &creation.name, None)?;
                there.retain(|known| self.is_code(&known.key));
                self.take(&there)?;
            }
            run::part(self.link, unit, part, applied)?;
            self.link.tell_notices(&step_name(unit), observer);
            if let Some(creation) = creation.filter(|_| !self.remarks.is_empty() || self.may_change_signature(at)) {
                self.say_again(at, &creation)?;
            }
        }
        Ok(())
    }

    fn may_change_signature(&self, at: usize) -> bool {
        self.owned.get(&self.work.files[at].unit.entry.key).is_some_and(|owned| !owned.is_empty())
    }

    /// Says again of a new object what was said of the one that stood in its place.
    fn say_again(&mut self, at: usize, creation: &Creation) -> std::result::Result<(), Stop> {
        let there = self.named(creation.kind, &creation.name, creation.table.as_ref())?;
        for known in &there {
            let its = self.remarks_of(|key| key == known.key || is_turned_into(key, &known.key));
            away::say(self.link, known, &its)?;
        }
        let is_routine = is_routine_kind(creation.kind);
        let is_it = |key: &str| {
            key_name(key, DIALECT).is_some_and(|(kind, name)| is_routine_kind(kind) && creation.name.matches(&name))
        };
        let makes =
            self.creations[at].iter().filter(|other| other.kind == creation.kind && other.name == creation.name);
        if !is_routine || makes.count() != 1 {
            return Ok(());
        }
        // One routine of this name before, one now: it changed its signature.
        let owned = self.owned.get(&self.work.files[at].unit.entry.key).into_iter().flatten();
        let old: Vec<String> = owned.map(|(key, _)| key.clone()).filter(|key| is_it(key)).collect();
        let new: Vec<&Known> = there.iter().filter(|known| !self.is_code(&known.key)).collect();
        let ([old], [new]) = (old.as_slice(), new.as_slice()) else { return Ok(()) };
        if let Some(known) = there.iter().find(|known| known.key == *old) {
            let known = known.clone();
            self.take(&[known])?;
        }
        let its = self.remarks_of(|key| key == old);
        away::say(self.link, new, &its)
    }

    /// Takes what is to be said again of some objects.
    fn remarks_of(&mut self, is_its: impl Fn(&str) -> bool) -> Vec<Remark> {
        let (its, others) =
            std::mem::take(&mut self.remarks).into_iter().partition(|remark: &Remark| is_its(&remark.key));
        self.remarks = others;
        its
    }
}

fn is_routine_kind(kind: Kind) -> bool {
    matches!(kind, Kind::Function | Kind::Procedure | Kind::Aggregate)
}

/// Returns true if a view became a materialized one, or the other way round: people mean the same by its name.
fn is_turned_into(old: &str, new: &str) -> bool {
    let is_view = |kind: Kind| matches!(kind, Kind::View | Kind::MaterializedView);
    match (key_name(old, DIALECT), key_name(new, DIALECT)) {
        (Some((old_kind, old)), Some((new_kind, new))) => is_view(old_kind) && is_view(new_kind) && old == new,
        _ => false,
    }
}
