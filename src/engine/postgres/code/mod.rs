//! Keeps the code objects as their files say, in one transaction: what cannot be replaced is dropped with the code
//! objects that depend on it, made anew, and what was said of it is said again.
//!
//! Promises: nothing that is no code object is ever dropped; another session sees the state before or the state after.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::guard::{self, Groups};
use super::journal::{DIALECT, Finished, Journal, are_finished};
use super::link::{Link, column, rows, value};
use super::quote::literal;
use super::run;
use super::stop::Stop;
use super::transaction::{self, backoff, claim, settings};
use crate::engine::code::{
    Again, CodeWork, Creation, Keeping, Kept, Owned, creations, journaled, key_name, to_journal,
};
use crate::engine::{Applied, EngineError, Result, Unit};
use crate::event::{Event, Observer};
use crate::journal::{Kind as EntryKind, NewEntry, Run};
use crate::sql::{Kind, Name};

mod away;
mod files;
mod gone;
mod journal;
mod known;
mod probe;
mod remark;
mod script;
mod text;

use known::{Known, by_keys, of_kind};
use remark::Remark;

/// Where something stopped: in a unit's text, or in the tool's own work.
type Halt<'a> = (Option<&'a Unit>, Stop);
type Halting<'a, T = ()> = std::result::Result<T, Halt<'a>>;
type Step<T = ()> = std::result::Result<T, Stop>;

fn own<'a>(stop: Stop) -> Halt<'a> {
    (None, stop)
}

/// Does the work; again and again after lock timeouts, deadlocks and serialization failures.
pub(super) fn keep(
    link: &mut Link,
    journal: &Journal,
    work: &CodeWork,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<Keeping> {
    let mut attempt = 1;
    loop {
        link.check_interrupt(nothing_kept)?;
        let (unit, stop) = match Keeper::new(link, journal, work, run).go(observer) {
            Ok(Keeping::Lacks) => {
                link.undo();
                return Ok(Keeping::Lacks);
            }
            Ok(kept) => return Ok(kept),
            Err(halt) => halt,
        };
        link.undo();
        link.check_interrupt(nothing_kept)?;
        if stop.is_worth_another_try() && attempt <= link.connector.target.retries {
            attempt += 1;
            let name = unit.map_or_else(|| "code".into(), Unit::step_name);
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

fn nothing_kept() -> String {
    "nothing of the code objects was changed".into()
}

/// One attempt.
struct Keeper<'a, 'l> {
    link: &'l mut Link,
    journal: &'l Journal,
    work: &'a CodeWork,
    run: &'a Run,
    /// The statements of each file that make code objects.
    creations: Vec<Vec<Creation>>,
    /// What each journaled file made.
    owned: BTreeMap<String, Vec<Owned>>,
    /// What of that is there, with what changes whenever it is written.
    there: HashMap<String, String>,
    /// The files whose row in the journal is not what is known now.
    learnt: BTreeSet<String>,
    /// Objects that are there under another name than their files made them with.
    renamed: BTreeSet<String>,
    /// What each file made in this transaction.
    made: BTreeMap<usize, Vec<Known>>,
    /// The shapes of the objects as they are now: what needs them follows if one changes.
    shapes: HashMap<String, String>,
    /// What is to be said again of what is away.
    remarks: Vec<Remark>,
    dropped: BTreeSet<String>,
    /// The files whose objects went, or rest on what was made anew.
    dirty: Vec<bool>,
    /// The files that need each file, by their places.
    needed_by: Vec<Vec<usize>>,
    /// True if no script ran since the code objects were looked after.
    is_settled: bool,
    /// True if the transaction can go back to where a file began.
    has_way_back: bool,
    /// What all this was when the file that runs began, once it has changed some of it.
    until_now: Option<Box<UntilNow>>,
    schema: String,
}

struct UntilNow {
    made: BTreeMap<usize, Vec<Known>>,
    remarks: Vec<Remark>,
    dropped: BTreeSet<String>,
    dirty: Vec<bool>,
}

impl<'a, 'l> Keeper<'a, 'l> {
    fn new(link: &'l mut Link, journal: &'l Journal, work: &'a CodeWork, run: &'a Run) -> Self {
        Self {
            link,
            journal,
            work,
            run,
            creations: work.files.iter().map(|file| creations(&file.unit, DIALECT)).collect(),
            owned: BTreeMap::new(),
            there: HashMap::new(),
            learnt: BTreeSet::new(),
            renamed: BTreeSet::new(),
            made: BTreeMap::new(),
            shapes: HashMap::new(),
            remarks: Vec::new(),
            dropped: BTreeSet::new(),
            dirty: vec![false; work.files.len()],
            needed_by: work.needed_by(),
            is_settled: false,
            has_way_back: false,
            until_now: None,
            schema: "public".into(),
        }
    }

    fn go(mut self, observer: &mut dyn Observer) -> Halting<'a, Keeping> {
        let work = self.work;
        let scripts = work.scripts.iter().map(|unit| &unit.entry);
        let due: Vec<usize> = (0..work.files.len()).filter(|at| work.is_whole && work.files[*at].is_due).collect();
        let mut entries: Vec<&NewEntry> = scripts.chain(due.iter().map(|at| &work.files[*at].unit.entry)).collect();
        // Two builders that have nothing else to claim claim the marker.
        let marks = entries.is_empty();
        if marks {
            entries.push(&work.marker);
        }
        let first = work.scripts.first().or(due.first().or(Some(&0)).and_then(|at| Some(&work.files.get(*at)?.unit)));
        let then = first.map(|unit| settings(self.link, unit)).unwrap_or_default();
        let Some(claimed) = claim(self.link, self.journal, (&entries, None), self.run, &then, observer).map_err(own)?
        else {
            return Ok(Keeping::Taken);
        };
        self.recall(claimed.sequences.first().copied()).map_err(own)?;
        if !work.others.is_empty() && !self.is_settled {
            return Ok(Keeping::Lacks);
        }

        let (mut kept, mut finished, mut statements) = (Kept::default(), Vec::new(), Vec::new());
        for (unit, sequence) in work.scripts.iter().zip(&claimed.sequences) {
            let applied = self.script(unit, observer)?;
            finished.push(finish(*sequence, &unit.entry, unit.parts.len(), &applied));
            kept.scripts.push(applied);
        }
        if work.is_whole {
            self.drop_gone(&mut statements).map_err(own)?;
            if !self.files(&mut kept, observer)? {
                return Ok(Keeping::Lacks);
            }
            let of_files = claimed.sequences.iter().skip(work.scripts.len()).copied();
            let sequences: HashMap<usize, i64> = due.iter().copied().zip(of_files).collect();
            self.write(&kept, &sequences, &mut finished, &mut statements).map_err(own)?;
            match claimed.sequences.first().filter(|_| marks) {
                Some(sequence) => finished.push(finish(*sequence, &work.marker, 0, &Applied::default())),
                None if kept.files.is_empty() => {
                    statements.push(self.journal.record(std::slice::from_ref(&work.marker), self.run));
                }
                None => {}
            }
        } else if !self.remarks.is_empty() {
            self.write_remarks(&mut statements);
        }
        self.end(&statements, &finished, &claimed.transaction, observer)?;
        kept.dropped = self.dropped.into_iter().collect();
        Ok(Keeping::Done(kept))
    }

    /// Writes the journal and commits.
    fn end(
        &mut self,
        statements: &[String],
        finished: &[Finished],
        transaction: &str,
        observer: &mut dyn Observer,
    ) -> Halting<'a> {
        self.link.tell_notices("code", observer);
        let shown = self.link.connector.shown();
        let mut message = format!("set constraints all immediate;\n{}", self.link.reset_text());
        for statement in statements {
            message += statement.trim_end().trim_end_matches(';');
            message += ";\n";
        }
        message += &self.journal.finish(finished, Some(transaction));
        let answers =
            self.link.send(&message).map_err(|trouble| own(Stop::own(trouble, "writing the journal", &shown)))?;
        are_finished(&answers, finished.len(), None).map_err(own)?;
        self.link.check_interrupt(nothing_kept).map_err(|error| own(error.into()))?;
        self.own_step("commit", "committing the code objects").map_err(own)
    }

    /// Sends a statement of the tool's own.
    fn own_step(&mut self, sql: &str, doing: &str) -> Step {
        let shown = self.link.connector.shown();
        self.link.send_own(sql).map(|_| ()).map_err(|trouble| Stop::own(trouble, doing, &shown))
    }

    /// Returns the key of a file in the journal.
    fn key(&self, at: usize) -> &'a str {
        &self.work.files[at].unit.entry.key
    }

    /// Returns the keys of what a file made before.
    fn owned_by(&self, at: usize) -> impl Iterator<Item = &String> {
        self.owned.get(self.key(at)).into_iter().flatten().map(|owned| &owned.object)
    }

    /// Returns the keys of all code objects.
    fn code(&self) -> impl Iterator<Item = &String> {
        let owned = self.owned.values().flatten().map(|owned| &owned.object);
        owned.chain(self.made.values().flatten().map(|made| &made.key))
    }

    fn is_code(&self, key: &str) -> bool {
        self.code().any(|code| code == key)
    }

    /// Reads the objects of a kind and name.
    fn named(&mut self, kind: Kind, name: &Name, table: Option<&Name>) -> Step<Vec<Known>> {
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

    /// Drops objects with all that depends on them. Files that made some of it in this transaction run again.
    fn take(&mut self, targets: &[Known]) -> Step {
        let codes: BTreeSet<String> = self.code().cloned().collect();
        let away = away::take(self.link, targets, |key| codes.contains(key))?;
        self.remember();
        for (file, made) in &mut self.made {
            let before = made.len();
            made.retain(|made| !away.keys.contains(&made.key));
            self.dirty[*file] |= made.len() < before;
        }
        self.dropped.extend(away.keys);
        self.remarks.extend(away.remarks);
        Ok(())
    }

    /// Remembers how things stood when the file that runs began, in case it has to be taken back.
    fn remember(&mut self) {
        self.until_now.get_or_insert_with(|| {
            Box::new(UntilNow {
                made: self.made.clone(),
                remarks: self.remarks.clone(),
                dropped: self.dropped.clone(),
                dirty: self.dirty.clone(),
            })
        });
    }
}

fn finish(sequence: i64, entry: &NewEntry, statements: usize, applied: &Applied) -> Finished {
    Finished { sequence, state: entry.state, statements, duration_ms: Some(applied.duration.as_millis()) }
}
