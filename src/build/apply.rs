//! The one loop over steps in the whole program: a plan is executed here and nowhere else.

use std::time::Instant;

use super::discover::rows_checksum;
use super::note::{note, note_of};
use super::plan::{Plan, PlannedFile, Step};
use super::told::{finished, milliseconds, short_name, step_kind};
use super::unit::{changed_meanwhile, contained, row_seed};
use super::units::{Judged, Units};
use super::{Checkout, Site, base, baseline, code};
use crate::engine::{EngineError, Inspection, Load, Loaded, Outcome, RowSeed, Session, Unit};
use crate::error::Error;
use crate::event::{Event, Observer, Silent, StepKind, StepResult};
use crate::journal::{Kind, Mark};

/// A plan that is executed on a session which holds the build lock.
pub struct Execution<'a> {
    /// The project and the target.
    pub site: &'a Site<'a>,
    /// What the plan was made from.
    pub checkout: &'a Checkout,
    /// The database as it was when the plan was made.
    pub inspection: &'a Inspection,
    /// The plan.
    pub plan: &'a Plan,
    /// The session.
    pub session: &'a mut dyn Session,
    /// Who hears of it.
    pub observer: &'a mut dyn Observer,
    /// Set once something has been done.
    pub touched: &'a mut bool,
}

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// How many steps this builder did.
    pub steps: usize,
    /// True if another builder did one of the steps: plan again.
    pub plan_again: bool,
}

/// What came of a step, together with those behind it that go in the same transaction.
enum Went {
    /// It is done: so many elements of the plan, which count as so many steps.
    On { length: usize, steps: usize },
    /// Another builder was faster, after so many steps.
    Taken { steps: usize },
}

impl Went {
    /// One step, unless another builder did it.
    fn one(is_done: bool) -> Self {
        if is_done { Self::On { length: 1, steps: 1 } } else { Self::Taken { steps: 0 } }
    }

    /// Code objects that were looked after, unless another builder did it.
    fn code(length: usize, kept: Option<usize>) -> Self {
        kept.map_or(Self::Taken { steps: 0 }, |steps| Self::On { length, steps })
    }
}

impl Execution<'_> {
    /// Executes the plan.
    pub fn run(mut self, judged: Judged) -> Result<End, Error> {
        let mut units = Units::judged(self.site, self.checkout, self.inspection, self.plan, judged);
        if self.has_code() {
            code::refuse_hidden(self.site, self.inspection, &units.scripts(), self.session)?;
        }
        let (mut at, mut done) = (0, 0);
        while at < self.plan.steps.len() {
            if self.site.interrupt.is_raised() {
                let kept = format!("{at} of {} steps are done", self.plan.steps.len());
                return Err(EngineError::Interrupted { kept }.into());
            }
            match self.step(at, &mut units)? {
                Went::On { length, steps } => {
                    *self.touched = true;
                    (at, done) = (at + length, done + steps);
                }
                Went::Taken { steps } => {
                    *self.touched |= steps > 0;
                    return Ok(End { steps: done + steps, plan_again: true });
                }
            }
        }
        Ok(End { steps: done, plan_again: false })
    }

    fn step(&mut self, at: usize, units: &mut Units<'_>) -> Result<Went, Error> {
        let (site, checkout) = (self.site, self.checkout);
        match &self.plan.steps[at] {
            Step::Journal { mark } => self.journal(at, mark.as_ref()),
            Step::Load { folder } => self.load(folder).map(Went::one),
            Step::Base { folder, .. } => base::load(site, checkout, folder, self.session, self.observer).map(Went::one),
            Step::Note { .. } => {
                let notes: Vec<_> = self.plan.steps[at..].iter().map_while(note_of).collect();
                note(site, checkout, &notes, self.session, self.observer)?;
                Ok(Went::On { length: notes.len(), steps: notes.len() })
            }
            Step::Keep { .. } | Step::Drop(_) | Step::Code(_) => self.code(at),
            Step::Apply { .. } if self.has_code() && units.suspends(at)? => self.suspended(at, units),
            Step::Apply { .. } => self.scripts(at, units),
            Step::Seed(file) => self.seed(at, file, units).map(Went::one),
            Step::Baseline { folder } => {
                baseline::step(site, checkout, folder, self.observer).map(|()| Went::one(true))
            }
        }
    }

    /// Where no code object is, none is in the way.
    fn has_code(&self) -> bool {
        self.inspection.journal.iter().flatten().any(|entry| entry.kind == Kind::Code)
    }

    fn journal(&mut self, at: usize, mark: Option<&Mark>) -> Result<Went, Error> {
        let soon = self.plan.steps.get(at + 1).is_some_and(|next| !matches!(next, Step::Baseline { .. }));
        self.session.prepare(mark, soon)?;
        Ok(Went::On { length: 1, steps: 0 })
    }

    /// Loads the baseline; false if another builder did.
    fn load(&mut self, folder: &str) -> Result<bool, Error> {
        let (site, checkout) = (self.site, self.checkout);
        let started = Instant::now();
        self.observer.event(Event::Started { step: StepKind::Load, name: folder.to_owned() });
        let (entries, tracked) = contained(site.project, site.target, checkout)?;
        let root = site.project.files.root().map(|root| root.join(folder)).unwrap_or_default();
        let checksum = baseline::checksum(site.project, checkout.dialect).ok_or_else(|| changed_meanwhile(folder))?;
        let load = Load::new(&root, &site.project.name, folder, checksum);
        let load = Load { entries: &entries, tracked: &tracked, ..load };
        if !self.session.load(&load, &site.run, self.observer)? {
            return Ok(false);
        }
        let version = checkout.newest().map(ToString::to_string);
        self.observer.event(Event::Finished {
            step: StepKind::Load,
            name: folder.to_owned(),
            duration_ms: milliseconds(started.elapsed()),
            result: StepResult::Loaded { version },
        });
        Ok(true)
    }

    /// Has the code objects looked after.
    fn code(&mut self, at: usize) -> Result<Went, Error> {
        let steps = code_steps(&self.plan.steps[at..]);
        let kept = self.keep(at, Vec::new(), steps, true)?;
        Ok(Went::code(steps.len(), kept))
    }

    /// Runs scripts that code objects are out of the way of, with the code step where that can be one transaction.
    fn suspended(&mut self, at: usize, units: &mut Units<'_>) -> Result<Went, Error> {
        let (scripts, is_whole) = units.suspended(at)?;
        let length = scripts.len();
        let steps = if is_whole { code_steps(&self.plan.steps[at + length..]) } else { &[] };
        let kept = self.keep(at, scripts, steps, is_whole)?;
        Ok(Went::code(length + steps.len(), kept))
    }

    fn keep(&mut self, at: usize, scripts: Vec<Unit>, steps: &[Step], is_whole: bool) -> Result<Option<usize>, Error> {
        let Self { site, checkout, inspection, .. } = self;
        let is_after_scripts = self.plan.steps[..at].iter().any(|step| matches!(step, Step::Apply { .. }));
        let turn = code::Turn { steps, scripts, is_whole, is_after_scripts };
        code::keep(site, checkout, inspection, turn, self.session, self.observer)
    }

    /// Runs a script, on a fresh database as many as may share its transaction.
    fn scripts(&mut self, at: usize, units: &mut Units<'_>) -> Result<Went, Error> {
        let is_fresh = self.plan.version.is_none();
        let segment = units.segment(at, if is_fresh { usize::MAX } else { 1 })?;
        let steps = self.together(&segment)?;
        let length = segment.len();
        Ok(if steps < length { Went::Taken { steps } } else { Went::On { length, steps } })
    }

    /// Runs units in one transaction; if that fails, each in its own, and only that result is reported. Returns how
    /// many were run, which is less than all if another builder has taken one.
    fn together(&mut self, units: &[Unit]) -> Result<usize, Error> {
        if units.len() > 1 {
            match self.session.apply(units, &self.site.run, &mut Silent) {
                Ok(outcomes) => {
                    for (done, (unit, outcome)) in units.iter().zip(outcomes).enumerate() {
                        match outcome {
                            Outcome::Taken => return Ok(done),
                            Outcome::Applied(applied) => self.observer.event(finished(self.site, unit, &applied)),
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
            if !run_one(self.site, unit, self.session, self.observer)? {
                return Ok(done);
            }
            *self.touched = true;
        }
        Ok(units.len())
    }

    /// Brings in one seed; false if another builder did.
    fn seed(&mut self, at: usize, file: &PlannedFile, units: &mut Units<'_>) -> Result<bool, Error> {
        let seed = self.checkout.seeds.iter().find(|seed| seed.source.file == file.file);
        let rows = seed.and_then(|seed| row_seed(self.site.project, seed, Kind::Seed, file.attempt));
        if let Some(rows) = rows {
            if rows_checksum(self.site.project, &file.file)? != file.checksum {
                return Err(changed_meanwhile(&file.file).into());
            }
            return load_rows(self.site, &rows, self.session, self.observer);
        }
        match units.take(at)? {
            Some(unit) => run_one(self.site, &unit, self.session, self.observer),
            None => Ok(true),
        }
    }
}

/// Returns the steps at the head that are done together with the code objects.
fn code_steps(steps: &[Step]) -> &[Step] {
    let length = steps.iter().take_while(|step| code::is_of_code(step)).count();
    &steps[..length]
}

/// Runs one unit; false if another builder did.
pub fn run_one(
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
            Outcome::Taken => return Ok(false),
            Outcome::Applied(applied) => observer.event(finished(site, unit, &applied)),
        }
    }
    Ok(true)
}

/// Loads a CSV file; false if another builder did.
pub fn load_rows(
    site: &Site<'_>,
    rows: &RowSeed,
    session: &mut dyn Session,
    observer: &mut dyn Observer,
) -> Result<bool, Error> {
    let step = StepKind::from(rows.entry.kind);
    let name = short_name(site, &rows.file);
    observer.event(Event::Started { step, name: name.clone() });
    let Some(loaded) = session.load_rows(rows, &site.run, observer)? else { return Ok(false) };
    let duration_ms = milliseconds(loaded.duration);
    let Loaded { rows, inserted, updated, deleted, overwritten, .. } = loaded;
    let result = StepResult::Rows { rows, inserted, updated, deleted, overwritten };
    observer.event(Event::Finished { step, name, duration_ms, result });
    Ok(true)
}
