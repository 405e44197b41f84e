//! The units of a plan: all of them are judged before the first one runs, and kept as far as there is room.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::parallel::in_parallel;
use super::plan::{Plan, PlannedFile, PlannedScript, Step};
use super::unit::{Planned, planned_file, planned_script, unit};
use super::{Checkout, Site};
use crate::engine::{Inspection, Mode, Unit};
use crate::error::Error;
use crate::journal::{Entry, Kind, Stored};
use crate::script::{Part, ScriptErrors};

/// How many bytes of units are kept between judging the scripts and running them.
const KEPT_BYTES: usize = 64 << 20;

/// The units of a plan, by its steps.
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
    /// Takes units that were judged.
    pub fn judged(
        site: &'a Site<'a>,
        checkout: &'a Checkout,
        inspection: &'a Inspection,
        plan: &'a Plan,
        judged: Judged,
    ) -> Self {
        Self { kept: judged.0, ..Self::new(site, checkout, inspection, plan) }
    }

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
        let (bytes, steps) = (AtomicUsize::new(0), (0..plan.steps.len()).collect::<Vec<_>>());
        let judged = in_parallel(&steps, |step, _| -> Result<Option<Unit>, Error> {
            let Some(unit) = units.make(*step)? else { return Ok(None) };
            site.engine.judge(&unit)?;
            let before = bytes.fetch_add(size(&unit), Ordering::Relaxed);
            Ok((before + size(&unit) <= KEPT_BYTES).then_some(unit))
        });
        let mut faults = Vec::new();
        for unit in judged {
            match unit {
                Ok(unit) => units.kept.push(unit),
                Err(Error::Scripts(errors)) => faults.extend(errors.0),
                Err(other) => return Err(other),
            }
        }
        if faults.is_empty() { Ok(units) } else { Err(ScriptErrors(faults).into()) }
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

    /// Returns the units of scripts, as far as they were kept.
    pub fn scripts(&self) -> Vec<&Unit> {
        self.kept.iter().flatten().filter(|unit| unit.entry.kind == Kind::Script).collect()
    }

    /// Takes the unit of a step, made again if it was too large to keep.
    pub fn take(&mut self, step: usize) -> Result<Option<Unit>, Error> {
        match self.kept.get_mut(step).and_then(Option::take) {
            Some(unit) => Ok(Some(unit)),
            None => self.make(step),
        }
    }

    /// Returns true if a script wants code objects out of its way.
    pub fn suspends(&mut self, step: usize) -> Result<bool, Error> {
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
    pub fn suspended(&mut self, from: usize) -> Result<(Vec<Unit>, bool), Error> {
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
    pub fn segment(&mut self, from: usize, most: usize) -> Result<Vec<Unit>, Error> {
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

/// Returns about how many bytes a unit takes.
fn size(unit: &Unit) -> usize {
    let texts = if unit.entry.text.is_some() { 2 } else { 1 };
    texts * unit.text.as_str().len() + unit.parts.len() * size_of::<Part>()
}
