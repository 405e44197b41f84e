//! Runs the text of a code file: as it is if that works, else after what it made went away. Tells what it made.

use std::time::Instant;

use super::*;
use crate::engine::code::about_strangers;

/// What a server answers when an object that is there cannot become the one that a text makes: another kind, other
/// columns, another result, a name that is taken, a call that two overloads fit, something that depends on it.
const CANNOT_REPLACE: [&str; 11] =
    ["42P16", "42P13", "42P07", "42710", "42723", "42725", "2BP01", "42809", "42P17", "0A000", "42701"];

/// Those of them that are about what stands under the name.
const IS_TAKEN: [&str; 5] = ["42P16", "42P13", "42P07", "42710", "42723"];

impl<'a> Keeper<'a, '_> {
    /// Runs a file, and settles what came of it.
    pub(super) fn file(&mut self, at: usize, observer: &mut dyn Observer) -> Halting<'a, Applied> {
        let begin = Instant::now();
        let unit = &self.work.files[at].unit;
        let of = |stop| (Some(unit), stop);
        self.link.check_interrupt(nothing_kept).map_err(|error| of(error.into()))?;
        self.begin_file(unit).map_err(of)?;
        let routines = self.routines(at).map_err(of)?;
        self.until_now = None;
        let mut applied = match self.parts(at, observer) {
            Err(stop) if CANNOT_REPLACE.contains(&stop.code()) => self.anew(at, stop, observer),
            other => other,
        }
        .map_err(of)?;
        self.restore(unit).map_err(of)?;
        let made = self.made_by(at, &routines).map_err(of)?;
        self.settle(at, made).map_err(of)?;
        applied.duration = begin.elapsed();
        Ok(applied)
    }

    /// Sets what a file wants set, behind which there is a way back. That of the file before it ends with the same message:
    /// a thousand files are a thousand times so many.
    fn begin_file(&mut self, unit: &Unit) -> Step {
        let release = if self.has_way_back { "release savepoint dbbuild_code;\n" } else { "" };
        let begin = format!("{release}{}\nsavepoint dbbuild_code", settings(self.link, unit));
        self.has_way_back = true;
        self.own_step(&begin, "beginning a file")
    }

    /// Runs a file after what it made, or what stands where it makes something, went away.
    fn anew(&mut self, at: usize, stop: Stop, observer: &mut dyn Observer) -> Step<Applied> {
        self.take_back()?;
        let targets = self.mine(at)?;
        let strangers = self.strangers(at, &targets)?;
        if targets.is_empty() {
            return Err(with_strangers(stop, &strangers));
        }
        // What no code file made stays, unless it is what this one makes: in a database that was adopted.
        let found: Vec<Known> = targets.iter().filter(|known| !self.is_code(&known.key)).cloned().collect();
        self.take(&targets)?;
        let applied = self.parts(at, observer).map_err(|stop| with_strangers(stop, &strangers))?;
        let now = by_keys(self.link, found.iter().map(|known| known.key.as_str()))?;
        let is_same = |was: &Known| now.iter().any(|known| known.key == was.key && known.digest == was.digest);
        if found.iter().all(is_same) { Ok(applied) } else { Err(with_strangers(stop, &strangers)) }
    }

    /// Returns what stands under the names that a file makes, and no code file made.
    fn strangers(&mut self, at: usize, targets: &[Known]) -> Step<Vec<String>> {
        let routines: Vec<String> = self.routines(at)?.into_keys().collect();
        let there = targets.iter().map(|known| known.key.clone()).chain(routines);
        Ok(there.filter(|key| !self.is_code(key)).collect())
    }

    /// Goes back to where the file began.
    pub(super) fn take_back(&mut self) -> Step {
        if let Some(until_now) = self.until_now.take() {
            let UntilNow { made, remarks, dropped, dirty } = *until_now;
            (self.made, self.remarks, self.dropped, self.dirty) = (made, remarks, dropped, dirty);
        }
        self.own_step("rollback to savepoint dbbuild_code", "taking a file back")
    }

    /// Returns the objects that a file made before, and those that stand under the names that it makes.
    fn mine(&mut self, at: usize) -> Step<Vec<Known>> {
        let keys: Vec<String> = self.owned_by(at).filter(|key| !self.is_made_by_another(at, key)).cloned().collect();
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
    fn routines(&mut self, at: usize) -> Step<HashMap<String, String>> {
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
    fn made_by(&mut self, at: usize, routines: &HashMap<String, String>) -> Step<Vec<Known>> {
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
    fn parts(&mut self, at: usize, observer: &mut dyn Observer) -> Step<Applied> {
        let unit = &self.work.files[at].unit;
        let mut applied = Applied::default();
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
            run::part(self.link, unit, part, &mut applied)?;
            self.link.tell_notices(&unit.step_name(), observer);
            if let Some(creation) = creation.filter(|_| !self.remarks.is_empty() || self.may_change_signature(at)) {
                self.say_again(at, &creation)?;
            }
        }
        Ok(applied)
    }
}

/// Returns true for what may share its name with others of its kind.
pub(super) fn is_routine_kind(kind: Kind) -> bool {
    matches!(kind, Kind::Function | Kind::Procedure | Kind::Aggregate)
}

/// Adds to a failure about a name that is taken what stands there.
fn with_strangers(mut stop: Stop, strangers: &[String]) -> Stop {
    if let Stop::Failed { failure, .. } = &mut stop
        && IS_TAKEN.contains(&failure.code.as_str())
        && !strangers.is_empty()
    {
        failure.hint = Some(about_strangers(strangers));
    }
    stop
}
