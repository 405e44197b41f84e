//! Keeps the code objects as their files say, in one transaction: what cannot be replaced is dropped with the code
//! objects that depend on it, made anew, and what was said of it is said again.
//!
//! Promises: nothing that is no code object is ever dropped; another session sees the state before or the state after.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use super::guard::{self, Groups};
use super::journal::{DIALECT, Finished, Journal, are_finished};
use super::link::{Link, column, rows, value};
use super::quote::literal;
use super::run;
use super::stop::{Stop, step_name};
use super::transaction::{self, backoff, claim, give_up, settings};
use crate::engine::code::{Again, CodeWork, Creation, Kept, creations, is_meant, journaled, key_name, to_journal};
use crate::engine::{Applied, EngineError, Result, Unit};
use crate::event::{Event, Observer};
use crate::journal::{Kind as EntryKind, NewEntry, Run};
use crate::sql::{Kind, Name, Span, Tokens};

mod away;
mod journal;
mod known;
mod probe;
mod text;

use away::Remark;
use journal::of_entry;
use known::{Known, by_keys, of_kind};

/// What a server answers when an object that is there cannot become the one that a text makes: another kind, other
/// columns, another result, a name that is taken, a call that two overloads fit, something that depends on it.
const CANNOT_REPLACE: [&str; 11] =
    ["42P16", "42P13", "42P07", "42710", "42723", "42725", "2BP01", "42809", "42P17", "0A000", "42701"];

/// What a server answers when something that a text needs is not there.
const IS_MISSING: [&str; 6] = ["42P01", "42883", "42704", "42703", "3F000", "42P02"];

/// How often the files are gone through: each time more of what was out of order is in place.
const MOST_ROUNDS: usize = 24;

/// Does the work; again and again after lock timeouts, deadlocks and serialization failures. `None` if another builder
/// was faster.
pub(super) fn keep(
    link: &mut Link,
    journal: &Journal,
    work: &CodeWork,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<Option<Kept>> {
    let mut attempt = 1;
    loop {
        link.check_interrupt(|| "nothing of the code objects was changed".into())?;
        let (unit, stop) = match Keeper::new(link, journal, work, run).go(observer) {
            Ok(kept) => return Ok(kept),
            Err(failed) => failed,
        };
        give_up(link);
        if link.interrupt.is_raised() {
            return Err(EngineError::Interrupted { kept: "nothing of the code objects was changed".into() });
        }
        if stop.is_worth_another_try() && attempt <= link.connector.target.retries {
            attempt += 1;
            let name = unit.map(step_name).unwrap_or_else(|| "code".into());
            observer.event(Event::Retrying { name, reason: transaction::reason(&stop), attempt });
            link.pause(backoff(attempt));
            continue;
        }
        return Err(match (unit, stop) {
            (Some(unit), stop) => stop.into_error(unit, 0, None, &link.connector.shown()),
            (None, Stop::Engine(error)) => error,
            (None, Stop::Broken(message)) => link.lost(message),
            (None, Stop::Failed { failure, .. }) => {
                EngineError::Sql { doing: "keeping the code objects".into(), failure }
            }
        });
    }
}

/// Where something stopped: in a unit's text, or in the tool's own work.
type Halt<'a> = (Option<&'a Unit>, Stop);

fn own<'a>(stop: Stop) -> Halt<'a> {
    (None, stop)
}

struct Keeper<'a, 'l> {
    link: &'l mut Link,
    journal: &'l Journal,
    work: &'a CodeWork,
    run: &'a Run,
    /// The statements of each file that make code objects.
    creations: Vec<Vec<Creation>>,
    /// What each journaled file made: the object's key and its digest.
    owned: BTreeMap<String, Vec<(String, Option<String>)>>,
    /// The files whose digests the journal had not.
    learnt: BTreeSet<String>,
    /// What each file made in this transaction.
    made: BTreeMap<usize, Vec<Known>>,
    /// The shapes of the objects as they are now: what needs them follows if one changes.
    shapes: HashMap<String, String>,
    /// What is to be said again of what is away.
    remarks: Vec<Remark>,
    dropped: BTreeSet<String>,
    dirty: Vec<bool>,
    /// True if no script ran since the code objects were looked after.
    is_settled: bool,
    schema: String,
}

impl<'a, 'l> Keeper<'a, 'l> {
    fn new(link: &'l mut Link, journal: &'l Journal, work: &'a CodeWork, run: &'a Run) -> Self {
        let creations: Vec<Vec<Creation>> = work.files.iter().map(|file| creations(&file.unit, DIALECT)).collect();
        let dirty = vec![false; work.files.len()];
        Self {
            link,
            journal,
            work,
            run,
            creations,
            owned: BTreeMap::new(),
            learnt: BTreeSet::new(),
            made: BTreeMap::new(),
            shapes: HashMap::new(),
            remarks: Vec::new(),
            dropped: BTreeSet::new(),
            dirty,
            is_settled: false,
            schema: "public".into(),
        }
    }

    fn go(mut self, observer: &mut dyn Observer) -> std::result::Result<Option<Kept>, Halt<'a>> {
        let work = self.work;
        let due: Vec<usize> = (0..work.files.len()).filter(|at| work.files[*at].is_due).collect();
        let mut entries: Vec<&NewEntry> = work.scripts.iter().map(|unit| &unit.entry).collect();
        if work.is_whole {
            entries.extend(due.iter().map(|at| &work.files[*at].unit.entry));
        }
        let marks = entries.is_empty();
        if marks {
            entries.push(&work.marker);
        }
        let first = work
            .scripts
            .first()
            .or(due.first().map(|at| &work.files[*at].unit))
            .or(work.files.first().map(|file| &file.unit));
        let then = first.map(|unit| settings(self.link, unit)).unwrap_or_default();
        let Some(claimed) = claim(self.link, self.journal, (&entries, None), self.run, &then, observer).map_err(own)?
        else {
            return Ok(None);
        };
        self.recall(claimed.sequences.first().copied()).map_err(own)?;
        let mut kept = Kept::default();
        let mut finished = Vec::new();
        for (unit, sequence) in work.scripts.iter().zip(&claimed.sequences) {
            let applied = self.script(unit, observer)?;
            let duration_ms = Some(applied.duration.as_millis());
            finished.push(Finished {
                sequence: *sequence,
                state: unit.entry.state,
                statements: unit.parts.len(),
                duration_ms,
            });
            kept.scripts.push(applied);
        }
        let mut statements = Vec::new();
        if work.is_whole {
            self.drop_gone(&mut statements).map_err(own)?;
            self.files(&mut kept, observer)?;
            let sequences: HashMap<usize, i64> =
                due.iter().copied().zip(claimed.sequences.iter().skip(work.scripts.len()).copied()).collect();
            self.write(&mut kept, &sequences, &mut finished, &mut statements).map_err(own)?;
            if marks || kept.files.is_empty() {
                match claimed.sequences.first().filter(|_| marks) {
                    Some(sequence) => {
                        finished.push(Finished {
                            sequence: *sequence,
                            state: work.marker.state,
                            statements: 0,
                            duration_ms: Some(0),
                        });
                    }
                    None => statements.push(self.journal.record(std::slice::from_ref(&work.marker), self.run)),
                }
            }
        } else if !self.remarks.is_empty() {
            statements.push(self.journal.record(std::slice::from_ref(&work.marker), self.run));
            let remarks = serde_json::to_string(&self.remarks).unwrap_or_default();
            statements.push(format!(
                "update {}.journal set progress = {}, state = 'running' where {}",
                self.journal.schema,
                literal(&remarks),
                of_entry(&work.marker)
            ));
        }
        self.end(&statements, &finished, &claimed.transaction, observer)?;
        kept.dropped = self.dropped.into_iter().collect();
        Ok(Some(kept))
    }

    /// Writes the journal and commits.
    fn end(
        &mut self,
        statements: &[String],
        finished: &[Finished],
        transaction: &str,
        observer: &mut dyn Observer,
    ) -> std::result::Result<(), Halt<'a>> {
        self.link.tell_notices("code", observer);
        let shown = self.link.connector.shown();
        let text: Vec<String> = statements
            .iter()
            .map(|text| text.trim_end().trim_end_matches(';').to_owned())
            .filter(|text| !text.is_empty())
            .collect();
        let message = format!(
            "set constraints all immediate;\n{}{};\n{}",
            self.link.reset_text(),
            text.join(";\n"),
            self.journal.finish(finished, Some(transaction))
        )
        .replace("discard sequences;\n;\n", "discard sequences;\n");
        let answers =
            self.link.send(&message).map_err(|trouble| own(Stop::own(trouble, "writing the journal", &shown)))?;
        are_finished(&answers, finished.len(), None).map_err(own)?;
        self.link
            .check_interrupt(|| "nothing of the code objects was changed".into())
            .map_err(|error| own(error.into()))?;
        self.link
            .send_own("commit")
            .map_err(|trouble| own(Stop::own(trouble, "committing the code objects", &shown)))?;
        Ok(())
    }

    /// Reads the objects of a kind and name.
    fn named(&mut self, kind: Kind, name: &Name, table: Option<&Name>) -> std::result::Result<Vec<Known>, Stop> {
        let mut condition = format!("o.own = {}", literal(name.object()));
        let place = if kind.is_on_table() { table } else { Some(name) };
        if let Some(schema) = place.and_then(Name::schema) {
            condition.push_str(&format!(" and o.schema = {}", literal(schema)));
        } else if !kind.is_on_table() && kind != Kind::EventTrigger {
            condition.push_str(&format!(" and o.schema = {}", literal(&self.schema)));
        }
        if let Some(table) = table.filter(|_| kind.is_on_table()) {
            condition.push_str(&format!(" and o.relation = {}", literal(table.object())));
        }
        of_kind(self.link, kind, &condition)
    }

    fn is_code(&self, key: &str) -> bool {
        self.owned.values().flatten().any(|(owned, _)| owned == key)
            || self.made.values().flatten().any(|made| made.key == key)
    }

    fn take(&mut self, targets: &[Known]) -> std::result::Result<Vec<String>, Stop> {
        let codes: BTreeSet<String> = self
            .owned
            .values()
            .flatten()
            .map(|(key, _)| key.clone())
            .chain(self.made.values().flatten().map(|made| made.key.clone()))
            .collect();
        let away = away::take(self.link, targets, |key| codes.contains(key))?;
        self.dropped.extend(away.keys.iter().cloned());
        self.remarks.extend(away.remarks);
        for (file, made) in &mut self.made {
            let before = made.len();
            made.retain(|made| !away.keys.contains(&made.key));
            if made.len() < before
                && let Some(dirty) = self.dirty.get_mut(*file)
            {
                *dirty = true;
            }
        }
        Ok(away.keys)
    }

    /// Runs a script, after the code objects that it suspends went away.
    fn script(&mut self, unit: &'a Unit, observer: &mut dyn Observer) -> std::result::Result<Applied, Halt<'a>> {
        let begin = Instant::now();
        let of = |stop| (Some(unit), stop);
        let wanted: Vec<String> = self
            .owned
            .iter()
            .flat_map(|(file, objects)| objects.iter().map(move |(key, _)| (file, key)))
            .filter(|(file, key)| unit.suspends.iter().any(|name| is_meant(name, key, DIALECT) || is_stem(file, name)))
            .map(|(_, key)| key.clone())
            .collect();
        let targets = by_keys(self.link, wanted.iter().map(String::as_str)).map_err(of)?;
        self.take(&targets).map_err(of)?;
        self.prepare(unit).map_err(of)?;
        let mut applied = Applied::default();
        let ran = run::parts(self.link, unit, run::Style::Statements, &mut applied);
        self.link.tell_notices(&step_name(unit), observer);
        ran.map_err(of)?;
        self.restore(unit).map_err(of)?;
        applied.duration = begin.elapsed();
        Ok(applied)
    }

    /// Sets what a unit wants set.
    fn prepare(&mut self, unit: &Unit) -> std::result::Result<(), Stop> {
        let text = settings(self.link, unit);
        let shown = self.link.connector.shown();
        self.link.send_own(&text).map(|_| ()).map_err(|trouble| Stop::own(trouble, "preparing a step", &shown))
    }

    /// Takes back what a unit may have set for the session.
    fn restore(&mut self, unit: &Unit) -> std::result::Result<(), Stop> {
        if !unit.parts.iter().any(|part| part.sets_session) && unit.entry.kind == EntryKind::Code {
            return Ok(());
        }
        let text = format!("set constraints all immediate;\n{}{}", self.link.reset_text(), settings(self.link, unit));
        let last = unit.parts.last().map(|part| part.span);
        let shown = self.link.connector.shown();
        self.link.send(&text).map(|_| ()).map_err(|trouble| Stop::at_the_end(trouble, last, &shown))
    }

    /// Drops what files made that are not there any more, if that was asked for.
    fn drop_gone(&mut self, statements: &mut Vec<String>) -> std::result::Result<(), Stop> {
        for gone in &self.work.gone {
            let objects: Vec<String> =
                self.owned.get(&gone.entry.key).into_iter().flatten().map(|(key, _)| key.clone()).collect();
            let left: Vec<String> = objects.into_iter().filter(|key| !self.is_made_elsewhere(key)).collect();
            let there = by_keys(self.link, left.iter().map(String::as_str))?;
            if gone.drop && !there.is_empty() {
                self.take(&there)?;
            }
            if gone.drop || there.is_empty() {
                statements.push(self.journal.record(std::slice::from_ref(&gone.entry), self.run));
            }
        }
        Ok(())
    }

    /// Returns true if a file of the checkout makes an object of this kind and name.
    fn is_made_elsewhere(&self, key: &str) -> bool {
        let Some((kind, name)) = key_name(key, DIALECT) else { return false };
        self.creations.iter().flatten().any(|creation| {
            creation.kind == kind && {
                let mut full: Vec<String> = creation
                    .table
                    .as_ref()
                    .filter(|_| kind.is_on_table())
                    .map(|table| table.parts().to_vec())
                    .unwrap_or_default();
                full.extend(creation.name.parts().iter().cloned());
                Name::new(full).matches(&name)
            }
        })
    }

    /// Runs each file that has to run.
    fn files(&mut self, kept: &mut Kept, observer: &mut dyn Observer) -> std::result::Result<(), Halt<'a>> {
        let work = self.work;
        let keys: Vec<String> = self.owned.values().flatten().map(|(key, _)| key.clone()).collect();
        let before: HashMap<String, Known> = by_keys(self.link, keys.iter().map(String::as_str))
            .map_err(own)?
            .into_iter()
            .map(|known| (known.key.clone(), known))
            .collect();
        self.shapes = before.values().map(|known| (known.key.clone(), known.shape.clone())).collect();
        let mut ran: BTreeMap<usize, (Applied, Again)> = BTreeMap::new();
        for _ in 0..MOST_ROUNDS {
            let (mut is_calm, mut late) = (true, None);
            for (at, file) in work.files.iter().enumerate() {
                let Some(again) = self.why(at, &before).map_err(|stop| (Some(&file.unit), stop))? else { continue };
                if again == Again::Follows && !self.would_differ(at).map_err(|stop| (Some(&file.unit), stop))? {
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
                        self.take_back("rollback to savepoint dbbuild_code").map_err(|stop| (unit, stop))?;
                        late.get_or_insert((unit, stop));
                    }
                    Err(halt) => return Err(halt),
                }
            }
            match (is_calm, late) {
                (true, Some(halt)) => return Err(halt),
                (true, None) => {
                    kept.files = ran.into_iter().map(|(at, (applied, again))| (at, applied, again)).collect();
                    return Ok(());
                }
                (false, _) => {}
            }
        }
        Err(own(self.never_ends().into()))
    }

    /// Files that take away what the others made, again and again.
    fn never_ends(&self) -> EngineError {
        let dirty = self.work.files.iter().zip(&self.dirty).filter(|(_, dirty)| **dirty);
        let names: Vec<&str> = dirty.map(|(file, _)| file.unit.text.file()).collect();
        EngineError::Refused {
            code: "code/circle",
            message: format!("these files take away what each other made, whatever their order: {}", names.join(", ")),
            place: None,
            hint: Some("put what needs each other into one file, in the order in which it can be made".into()),
        }
    }

    /// Says why a file runs, or runs again, if it does.
    fn why(&mut self, at: usize, before: &HashMap<String, Known>) -> std::result::Result<Option<Again>, Stop> {
        if self.made.contains_key(&at) {
            return Ok(self.dirty[at].then_some(Again::Follows));
        }
        let file = &self.work.files[at];
        if file.is_due {
            return Ok(Some(Again::Due));
        }
        let Some(owned) = self.owned.get(&file.unit.entry.key) else { return Ok(None) };
        let is_away = |key: &String| !before.contains_key(key) || self.dropped.contains(key);
        let differs = |(key, digest): &(String, Option<String>)| match (before.get(key), digest) {
            (Some(known), Some(digest)) => known.digest != *digest && major(&known.digest) == major(digest),
            _ => false,
        };
        if owned.iter().any(|(key, _)| is_away(key)) {
            Ok(Some(Again::Absent))
        } else if owned.iter().any(differs) {
            Ok(Some(Again::Different))
        } else if self.dirty[at] || self.is_outgrown(at)? {
            Ok(Some(Again::Follows))
        } else {
            Ok(None)
        }
    }

    /// Returns true if a text that asks for all columns would get others now than when it ran: the server keeps the
    /// columns that a table had then.
    fn is_outgrown(&mut self, at: usize) -> std::result::Result<bool, Stop> {
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
    fn would_differ(&mut self, at: usize) -> std::result::Result<bool, Stop> {
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
    fn is_same(&mut self, at: usize, creation: &Creation) -> std::result::Result<bool, Stop> {
        let there = self.named(creation.kind, &creation.name, creation.table.as_ref())?;
        match there.as_slice() {
            [known] => probe::is_same(self.link, &self.work.files[at].unit, creation, known),
            _ => Ok(false),
        }
    }

    /// Runs a file: as it is if that works, else after what it made went away.
    fn file(&mut self, at: usize, observer: &mut dyn Observer) -> std::result::Result<Applied, Halt<'a>> {
        let begin = Instant::now();
        let unit = &self.work.files[at].unit;
        let of = |stop| (Some(unit), stop);
        self.link
            .check_interrupt(|| "nothing of the code objects was changed".into())
            .map_err(|error| of(error.into()))?;
        self.prepare(unit).map_err(of)?;
        let shown = self.link.connector.shown();
        let routines = self.routines(at).map_err(of)?;
        self.link
            .send_own("savepoint dbbuild_code")
            .map_err(|trouble| of(Stop::own(trouble, "beginning a file", &shown)))?;
        let mut applied = Applied::default();
        let kept_remarks = self.remarks.clone();
        let (kept_dropped, kept_made) = (self.dropped.clone(), self.made.clone());
        if let Err(stop) = self.parts(at, &mut applied, observer) {
            if !CANNOT_REPLACE.contains(&stop.code()) {
                return Err(of(stop));
            }
            self.take_back("rollback to savepoint dbbuild_code").map_err(of)?;
            (self.remarks, self.dropped, self.made) = (kept_remarks, kept_dropped, kept_made);
            let targets = self.mine(at).map_err(of)?;
            if targets.is_empty() {
                return Err(of(stop));
            }
            // What no code file made stays, unless it is what this one makes: in a database that was adopted.
            let found: Vec<Known> = targets.iter().filter(|known| !self.is_code(&known.key)).cloned().collect();
            self.take(&targets).map_err(of)?;
            applied = Applied::default();
            self.parts(at, &mut applied, observer).map_err(of)?;
            let now = by_keys(self.link, found.iter().map(|known| known.key.as_str())).map_err(of)?;
            let is_same = |was: &Known| now.iter().any(|known| known.key == was.key && known.digest == was.digest);
            if !found.iter().all(is_same) {
                return Err(of(stop));
            }
        }
        self.link
            .send_own("release savepoint dbbuild_code")
            .map_err(|trouble| of(Stop::own(trouble, "ending a file", &shown)))?;
        self.restore(unit).map_err(of)?;
        let made = self.made_by(at, &routines).map_err(of)?;
        self.settle(at, made).map_err(of)?;
        applied.duration = begin.elapsed();
        Ok(applied)
    }

    fn take_back(&mut self, to: &str) -> std::result::Result<(), Stop> {
        let shown = self.link.connector.shown();
        self.link.send_own(to).map(|_| ()).map_err(|trouble| Stop::own(trouble, "taking a file back", &shown))
    }

    /// Notes what a file made, drops what its old text made beside that, and marks what follows.
    fn settle(&mut self, at: usize, made: Vec<Known>) -> std::result::Result<(), Stop> {
        let key = &self.work.files[at].unit.entry.key;
        let others = self.made.iter().filter(|(file, _)| **file != at);
        for (file, theirs) in others {
            if let Some(twice) = made.iter().find(|known| theirs.iter().any(|other| other.key == known.key)) {
                let (one, other) = (self.work.files[*file].unit.text.file(), self.work.files[at].unit.text.file());
                return Err(EngineError::Refused {
                    code: "code/twice",
                    message: format!("{} is made by {one} and by {other}", twice.key),
                    place: None,
                    hint: Some("keep it in one of them".into()),
                }
                .into());
            }
        }
        let old: Vec<String> = self.owned.get(key).into_iter().flatten().map(|(key, _)| key.clone()).collect();
        self.dropped.retain(|key| !made.iter().any(|known| known.key == *key));
        let mut is_new_shape = false;
        for known in &made {
            let was = self.shapes.insert(known.key.clone(), known.shape.clone());
            is_new_shape |= was.as_ref() != Some(&known.shape);
        }
        self.dirty[at] = false;
        let stale: Vec<String> = old
            .into_iter()
            .filter(|key| !made.iter().any(|known| known.key == *key) && !self.is_made_by_another(at, key))
            .collect();
        self.made.insert(at, made);
        if !stale.is_empty() {
            let stale = by_keys(self.link, stale.iter().map(String::as_str))?;
            self.take(&stale)?;
        }
        if is_new_shape {
            for (other, file) in self.work.files.iter().enumerate() {
                self.dirty[other] |= other != at && file.needs.contains(&at) && !file.is_due
                    || self.made.contains_key(&other) && file.needs.contains(&at) && other != at;
            }
        }
        Ok(())
    }

    /// Returns true if another file made it in this transaction, or has it by the journal and is still there.
    fn is_made_by_another(&self, at: usize, key: &str) -> bool {
        self.work.files.iter().enumerate().filter(|(other, _)| *other != at).any(|(other, file)| {
            match self.made.get(&other) {
                Some(made) => made.iter().any(|known| known.key == key),
                None => self.owned.get(&file.unit.entry.key).into_iter().flatten().any(|(owned, _)| owned == key),
            }
        })
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

/// Returns true if a name is a file's: `customer_view` of `db/code/customer_view.sql`.
fn is_stem(file: &str, name: &str) -> bool {
    file.rsplit('/').next().and_then(|last| last.split('.').next()) == Some(name)
}
