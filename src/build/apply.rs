//! The one loop over steps in the whole program: a plan is executed here and nowhere else.

use std::time::{Duration, Instant};

use super::discover::rows_checksum;
use super::plan::{Plan, PlannedFile, PlannedScript, Step};
use super::unit::{Planned, changed_meanwhile, contained, planned_file, planned_script, row_seed, unit};
use super::{Checkout, Site, base, baseline, code};
use crate::engine::{Applied, EngineError, Inspection, Load, Loaded, Mode, Outcome, Session, Unit};
use crate::error::Error;
use crate::event::{Event, Observer, StepKind, StepResult};
use crate::journal::{Entry, Kind, NewEntry, Stored};
use crate::script::{engine_suffix, strip_sql};

/// How many bytes of units are kept between judging the scripts and running them.
const KEPT_BYTES: usize = 64 << 20;

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// How many steps this builder did.
    pub steps: usize,
    /// True if another builder did one of the steps: plan again.
    pub plan_again: bool,
}

/// Executes a plan on a session that holds the build lock. `touched` is set once something has been done.
#[allow(clippy::too_many_arguments)]
pub fn apply(
    site: &Site<'_>,
    checkout: &Checkout,
    inspection: &Inspection,
    plan: &Plan,
    judged: Judged,
    session: &mut dyn Session,
    observer: &mut dyn Observer,
    touched: &mut bool,
) -> Result<End, Error> {
    let mut units = Units { kept: judged.0, ..Units::new(site, checkout, inspection, plan) };
    let fresh = plan.version.is_none();
    // Where no code object is, nothing is to be suspended.
    let suspends = inspection.journal.iter().flatten().any(|entry| entry.kind == Kind::Code);
    let (mut at, mut steps) = (0, 0);
    while at < plan.steps.len() {
        if site.interrupt.is_raised() {
            return Err(
                EngineError::Interrupted { kept: format!("{at} of {} steps are done", plan.steps.len()) }.into()
            );
        }
        let step = &plan.steps[at];
        let mut taken = false;
        let mut length = 1;
        let mut done = 1;
        match step {
            Step::Journal { mark } => {
                let soon = plan.steps.get(at + 1).is_some_and(|next| !matches!(next, Step::Baseline { .. }));
                session.prepare(mark.as_ref(), soon)?;
                done = 0;
            }
            Step::Load { folder } => {
                taken = !load(site, checkout, folder, session, observer)?;
                done = usize::from(!taken);
            }
            Step::Base { folder, .. } => {
                taken = !base::load(site, checkout, folder, session, observer)?;
                done = usize::from(!taken);
            }
            Step::Note { .. } => {
                let notes = plan.steps[at..].iter().map_while(note_of).collect::<Vec<_>>();
                (length, done) = (notes.len(), notes.len());
                note(site, checkout, &notes, session, observer)?;
            }
            Step::Keep { .. } | Step::Drop(_) | Step::Code(_) => {
                length = plan.steps[at..].iter().take_while(|step| code::is_of_code(step)).count();
                let steps = &plan.steps[at..at + length];
                let kept = code::keep(site, checkout, inspection, Vec::new(), steps, true, session, observer)?;
                (taken, done) = (kept.is_none(), kept.unwrap_or_default());
            }
            Step::Apply { .. } if suspends && units.suspends(at)? => {
                let (scripts, is_whole) = units.suspended(at)?;
                length = scripts.len();
                let steps: Vec<&Step> =
                    plan.steps[at + length..].iter().take_while(|step| code::is_of_code(step)).collect();
                if is_whole {
                    length += steps.len();
                }
                let steps: Vec<Step> = steps.into_iter().filter(|_| is_whole).cloned().collect();
                let kept = code::keep(site, checkout, inspection, scripts, &steps, is_whole, session, observer)?;
                (taken, done) = (kept.is_none(), kept.unwrap_or_default());
            }
            Step::Apply { .. } => {
                let segment = units.segment(at, if fresh { usize::MAX } else { 1 })?;
                length = segment.len();
                done = run(site, &segment, session, observer, touched)?;
                taken = done < length;
            }
            Step::Seed(file) => {
                taken = seed(site, checkout, file, Kind::Seed, &mut units, at, session, observer)?;
                done = usize::from(!taken);
            }
            Step::Baseline { folder } => baseline::step(site, checkout, folder, observer)?,
        }
        steps += done;
        *touched |= !taken || done > 0;
        if taken {
            return Ok(End { steps, plan_again: true });
        }
        at += length;
    }
    Ok(End { steps, plan_again: false })
}

/// The units of a plan: all of them are judged before the first one runs.
pub struct Units<'a> {
    site: &'a Site<'a>,
    checkout: &'a Checkout,
    plan: &'a Plan,
    running: Vec<&'a Entry>,
    kept: Vec<Option<Unit>>,
}

/// What came of judging the units of a plan, as far as there was room to keep them.
pub struct Judged(Vec<Option<Unit>>);

/// Makes every unit of a plan, or says everything that is wrong with them, before the first one runs.
pub fn judge(site: &Site<'_>, checkout: &Checkout, inspection: &Inspection, plan: &Plan) -> Result<Judged, Error> {
    Units::judge(site, checkout, inspection, plan).map(|units| Judged(units.kept))
}

impl<'a> Units<'a> {
    fn new(site: &'a Site<'a>, checkout: &'a Checkout, inspection: &'a Inspection, plan: &'a Plan) -> Self {
        let entries = inspection.journal.as_deref().unwrap_or_default();
        let running = entries.iter().filter(|entry| entry.state == Stored::Running).collect();
        Self { site, checkout, plan, running, kept: Vec::new() }
    }

    /// Makes all units, or says everything that is wrong with their texts.
    pub fn judge(
        site: &'a Site<'a>,
        checkout: &'a Checkout,
        inspection: &'a Inspection,
        plan: &'a Plan,
    ) -> Result<Self, Error> {
        let mut units = Self::new(site, checkout, inspection, plan);
        let (mut bytes, mut faults) = (0, Vec::new());
        for step in 0..plan.steps.len() {
            let unit = match units.make(step) {
                Ok(unit) => {
                    unit.as_ref().map_or(Ok(()), |unit| site.engine.judge(unit))?;
                    unit
                }
                Err(Error::Scripts(errors)) => {
                    faults.extend(errors.0);
                    None
                }
                Err(other) => return Err(other),
            };
            bytes += unit.as_ref().map_or(0, size);
            units.kept.push(unit.filter(|_| bytes <= KEPT_BYTES));
        }
        if faults.is_empty() { Ok(units) } else { Err(crate::script::ScriptErrors(faults).into()) }
    }

    fn make(&self, step: usize) -> Result<Option<Unit>, Error> {
        let planned = match &self.plan.steps[step] {
            Step::Apply { script, .. } => self.script(script),
            Step::Code(file) => self.file(file, Kind::Code),
            Step::Seed(file) if !file.file.to_ascii_lowercase().ends_with(".csv") => self.file(file, Kind::Seed),
            Step::Keep { .. }
            | Step::Drop(_)
            | Step::Seed(_)
            | Step::Journal { .. }
            | Step::Load { .. }
            | Step::Base { .. }
            | Step::Note { .. }
            | Step::Baseline { .. } => {
                return Ok(None);
            }
        };
        unit(self.site.project, self.site.target, self.checkout.dialect, &planned).map(Some)
    }

    fn script<'b>(&self, script: &'b PlannedScript) -> Planned<'b> {
        let key = script.version.to_string();
        let running = self.running.iter().find(|entry| entry.kind == Kind::Script && entry.key == key);
        Planned {
            running: running.map(|entry| (*entry).clone()),
            ..planned_script(&script.version, &script.name, &script.file, &script.checksum, script.attempt)
        }
    }

    fn file<'b>(&self, file: &'b PlannedFile, kind: Kind) -> Planned<'b> {
        let seed = self.checkout.seeds.iter().find(|seed| seed.source.file == file.file);
        let running = self.running.iter().find(|entry| entry.kind == kind && entry.key == file.file);
        Planned {
            running: running.map(|entry| (*entry).clone()),
            of_environment: kind == Kind::Seed && seed.is_some_and(|seed| seed.environment.is_some()),
            ..planned_file(kind, &file.file, &file.checksum, file.attempt)
        }
    }

    /// Takes the unit of a step, made again if it was too large to keep.
    pub fn take(&mut self, step: usize) -> Result<Option<Unit>, Error> {
        match self.kept.get_mut(step).and_then(Option::take) {
            Some(unit) => Ok(Some(unit)),
            None => self.make(step),
        }
    }

    /// Returns true if a script wants code objects out of its way.
    fn suspends(&mut self, step: usize) -> Result<bool, Error> {
        if self.kept.get(step).is_none_or(Option::is_none) {
            let unit = self.make(step)?;
            if let Some(kept) = self.kept.get_mut(step) {
                *kept = unit;
            }
        }
        Ok(self.kept.get(step).and_then(Option::as_ref).is_some_and(|unit| !unit.suspends.is_empty()))
    }

    /// Takes the scripts from one that suspends code objects on. If all of them run in a transaction, then in one
    /// with the code step; else it is the one alone, and the objects come back later.
    fn suspended(&mut self, from: usize) -> Result<(Vec<Unit>, bool), Error> {
        let end = (from..self.plan.steps.len()).find(|step| !matches!(self.plan.steps[*step], Step::Apply { .. }));
        let mut scripts = Vec::new();
        for step in from..end.unwrap_or(self.plan.steps.len()) {
            scripts.extend(self.take(step)?);
        }
        if scripts.iter().all(|unit| unit.mode != Mode::Statements && unit.running.is_none()) {
            return Ok((scripts, true));
        }
        scripts.truncate(1);
        Ok((scripts, false))
    }

    /// Takes the units from a step on that may share one transaction, at least one.
    fn segment(&mut self, from: usize, most: usize) -> Result<Vec<Unit>, Error> {
        let mut segment: Vec<Unit> = self.take(from)?.into_iter().collect();
        let is_open = |unit: &Unit| unit.fusible && unit.lock_timeout.is_none() && unit.statement_timeout.is_none();
        let mut statements = segment.iter().map(|unit| unit.parts.len()).sum::<usize>();
        if !segment.iter().all(is_open) {
            return Ok(segment);
        }
        for step in from + 1..self.plan.steps.len() {
            let next = match self.kept.get(step).and_then(Option::as_ref) {
                Some(unit) if matches!(self.plan.steps[step], Step::Apply { .. }) => unit,
                _ => break,
            };
            statements += next.parts.len();
            if segment.len() >= most || !is_open(next) || statements > self.site.engine.most_fused() {
                break;
            }
            segment.extend(self.take(step)?);
        }
        Ok(segment)
    }
}

/// Runs units in one transaction; if that fails, each in its own, and only that result is reported. Returns how
/// many were run, which is less than all if another builder has taken one.
fn run(
    site: &Site<'_>,
    units: &[Unit],
    session: &mut dyn Session,
    observer: &mut dyn Observer,
    touched: &mut bool,
) -> Result<usize, Error> {
    if units.len() > 1 {
        match session.apply(units, &site.run, &mut crate::event::Silent) {
            Ok(outcomes) => {
                for (done, (unit, outcome)) in units.iter().zip(outcomes).enumerate() {
                    match outcome {
                        Outcome::Taken => return Ok(done),
                        Outcome::Applied(applied) => observer.event(finished(site, unit, &applied)),
                    }
                }
                return Ok(units.len());
            }
            Err(EngineError::Interrupted { .. }) => {
                return Err(EngineError::Interrupted { kept: "nothing of this step is kept".into() }.into());
            }
            Err(_) => {}
        }
    }
    for (done, unit) in units.iter().enumerate() {
        if run_one(site, unit, session, observer)? {
            return Ok(done);
        }
        *touched = true;
    }
    Ok(units.len())
}

/// Runs one unit; returns true if another builder did.
fn run_one(
    site: &Site<'_>,
    unit: &Unit,
    session: &mut dyn Session,
    observer: &mut dyn Observer,
) -> Result<bool, Error> {
    observer.event(Event::Started { step: step_kind(unit), name: short_name(site, unit.text.file()) });
    let outcomes = session.apply(std::slice::from_ref(unit), &site.run, observer);
    let outcomes = outcomes.map_err(|error| code::in_the_way(site, unit, error))?;
    for outcome in outcomes {
        match outcome {
            Outcome::Taken => return Ok(true),
            Outcome::Applied(applied) => observer.event(finished(site, unit, &applied)),
        }
    }
    Ok(false)
}

fn step_kind(unit: &Unit) -> StepKind {
    if unit.running.is_some() { StepKind::Resume } else { StepKind::from(unit.entry.kind) }
}

/// Returns about how many bytes a unit takes.
fn size(unit: &Unit) -> usize {
    let texts = if unit.entry.text.is_some() { 2 } else { 1 };
    texts * unit.text.as_str().len() + unit.parts.len() * size_of::<crate::script::Part>()
}

/// Returns a file's name for people: its path in the folder of its kind, without `.sql` and engine.
pub fn short_name(site: &Site<'_>, file: &str) -> String {
    let dialect = site.engine.dialect();
    let (code, folders) =
        (site.project.code_folder(), [site.project.scripts_folder(dialect), site.project.seed_folder()]);
    let inside = |folder: &str| file.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
    // A code object's folder sorts it, and says nothing to people.
    let path = match inside(&code) {
        Some(rest) => rest.rsplit('/').next().unwrap_or(rest),
        None => folders.into_iter().find_map(inside).unwrap_or(file),
    };
    let stem = strip_sql(path);
    let stem = stem.strip_suffix(".up").unwrap_or(stem);
    let stem = engine_suffix(stem).map_or(stem, |(stem, _)| stem);
    // In a folder per change, the folder has the name.
    stem.strip_suffix("/up").unwrap_or(stem).to_owned()
}

pub fn finished(site: &Site<'_>, unit: &Unit, applied: &Applied) -> Event {
    let result = StepResult::Ran {
        statements: count(applied.statements + applied.skipped),
        skipped: count(applied.skipped),
        passes: applied.passes,
        rows_changed: if unit.mode == Mode::Statements { applied.rows } else { 0 },
    };
    Event::Finished {
        step: step_kind(unit),
        name: short_name(site, unit.text.file()),
        duration_ms: milliseconds(applied.duration),
        result,
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Returns a duration in whole milliseconds.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn load(
    site: &Site<'_>,
    checkout: &Checkout,
    folder: &str,
    session: &mut dyn Session,
    observer: &mut dyn Observer,
) -> Result<bool, Error> {
    let started = Instant::now();
    observer.event(Event::Started { step: StepKind::Load, name: folder.to_owned() });
    let (entries, tracked) = contained(site.project, site.target, checkout)?;
    let root = site.project.files.root().map(|root| root.join(folder)).unwrap_or_default();
    let checksum = baseline::checksum(site.project, checkout.dialect).unwrap_or_default();
    let load = Load::new(&root, &site.project.name, folder, checksum);
    let load = Load { entries: &entries, tracked: &tracked, ..load };
    if !session.load(&load, &site.run, observer)? {
        return Ok(false);
    }
    let version = checkout.newest().map(ToString::to_string);
    observer.event(Event::Finished {
        step: StepKind::Load,
        name: folder.to_owned(),
        duration_ms: milliseconds(started.elapsed()),
        result: StepResult::Loaded { version },
    });
    Ok(true)
}

/// A script to journal without running it, why, and the version it gave away.
type NoteOf<'a> = (&'a PlannedScript, &'a str, Option<&'a PlannedScript>);

fn note_of(step: &Step) -> Option<NoteOf<'_>> {
    match step {
        Step::Note { script, why, freed } => Some((script, why, freed.as_ref())),
        Step::Journal { .. }
        | Step::Load { .. }
        | Step::Base { .. }
        | Step::Apply { .. }
        | Step::Code(_)
        | Step::Keep { .. }
        | Step::Drop(_)
        | Step::Seed(_)
        | Step::Baseline { .. } => None,
    }
}

/// Journals scripts, all in one transaction: half of those that moved up together would make the others look as
/// if they had never run.
fn note(
    site: &Site<'_>,
    checkout: &Checkout,
    notes: &[NoteOf<'_>],
    session: &mut dyn Session,
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    let mut entries = Vec::with_capacity(notes.len());
    for (script, _, freed) in notes {
        entries.extend(note_entries(site, checkout, script, *freed)?);
    }
    session.record(&entries, &[], &site.run)?;
    for (script, why, _) in notes {
        observer.event(Event::Finished {
            step: StepKind::Note,
            name: short_name(site, &script.file),
            duration_ms: 0,
            result: StepResult::Journaled { why: (*why).to_owned() },
        });
    }
    Ok(())
}

/// Makes the entry of a script that is journaled as applied without running.
pub fn entry_without_running(
    site: &Site<'_>,
    checkout: &Checkout,
    script: &crate::script::Script,
    attempt: i32,
) -> Result<NewEntry, Error> {
    let planned = PlannedScript {
        version: script.version.clone(),
        name: script.name.clone(),
        file: script.file.clone(),
        checksum: script.checksum.clone(),
        attempt,
    };
    let mut entries = note_entries(site, checkout, &planned, None)?;
    Ok(entries.swap_remove(0))
}

/// Makes the entries of a script that is journaled without running: its own, and one that frees the version that
/// it gave away.
pub fn note_entries(
    site: &Site<'_>,
    checkout: &Checkout,
    script: &PlannedScript,
    freed: Option<&PlannedScript>,
) -> Result<Vec<NewEntry>, Error> {
    let entry = |script: &PlannedScript, state| -> Result<NewEntry, Error> {
        let planned = planned_script(&script.version, &script.name, &script.file, &script.checksum, script.attempt);
        Ok(NewEntry { state, ..unit(site.project, site.target, checkout.dialect, &planned)?.entry })
    };
    let mut entries = vec![entry(script, Stored::Applied)?];
    if let Some(freed) = freed {
        entries.push(entry(freed, Stored::Reverted)?);
    }
    Ok(entries)
}

/// Brings in one seed or test data file; returns true if another builder did.
#[allow(clippy::too_many_arguments)]
fn seed(
    site: &Site<'_>,
    checkout: &Checkout,
    file: &PlannedFile,
    kind: Kind,
    units: &mut Units<'_>,
    step: usize,
    session: &mut dyn Session,
    observer: &mut dyn Observer,
) -> Result<bool, Error> {
    let found = checkout.seeds.iter().find(|seed| seed.source.file == file.file);
    if let Some(rows) = found.and_then(|seed| row_seed(site.project, seed, kind, file.attempt)) {
        if rows_checksum(site.project, &file.file)? != file.checksum {
            return Err(changed_meanwhile(&file.file).into());
        }
        return load_rows(site, &rows, session, observer);
    }
    match units.take(step)? {
        Some(unit) => run_one(site, &unit, session, observer),
        None => Ok(false),
    }
}

/// Loads a CSV file; returns true if another builder did.
pub fn load_rows(
    site: &Site<'_>,
    rows: &crate::engine::RowSeed,
    session: &mut dyn Session,
    observer: &mut dyn Observer,
) -> Result<bool, Error> {
    let step = StepKind::from(rows.entry.kind);
    let name = short_name(site, &rows.file);
    observer.event(Event::Started { step, name: name.clone() });
    let Some(loaded) = session.load_rows(rows, &site.run, observer)? else { return Ok(true) };
    let duration_ms = milliseconds(loaded.duration);
    let Loaded { rows, inserted, updated, deleted, overwritten, .. } = loaded;
    let result = StepResult::Rows { rows, inserted, updated, deleted, overwritten };
    observer.event(Event::Finished { step, name, duration_ms, result });
    Ok(false)
}
