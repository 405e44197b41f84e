//! Altered scripts, run again on the target and kept only if that is proven right.

use super::rows::{Steady, harm, left_behind, unlike_rows};
use super::{Made, compare, discover, ignored, line, make, why_it_failed, with_texts};
use crate::build::plan::changed;
use crate::build::unit::{planned_script, unit};
use crate::build::{Checkout, Refusal, Site, Survey, reach, told};
use crate::engine::catalog::Patterns;
use crate::engine::{Access, Catalog, EngineError, Mode, Moved, Object, Row, Session, TableRows, Unit, Wait};
use crate::error::Error;
use crate::event::{Event, Observer, Silent};
use crate::journal::{Entry, Kind, State, Status};
use crate::project::Project;
use crate::script::Version;

/// Runs the altered scripts of an unprotected target again, in one transaction, and keeps that only if the target then
/// is what a fresh build of the current texts is. Returns how many; the refusal, with what is in the way, if not.
pub fn rerun(site: &Site<'_>, survey: &Survey, refusal: Refusal, observer: &mut dyn Observer) -> Result<usize, Error> {
    let altered: Vec<&Status> = survey.reconciled.in_state(State::Altered).collect();
    let units = match units(site, survey, &altered)? {
        Ok(units) => units,
        Err(why) => return Err(refusal.note(why).into()),
    };
    let mut session = site.engine.connect(Access::Write)?;
    session.exclusive(Wait { limit: site.target.lock_wait }, observer)?;
    if session.inspect(&site.project.name)?.journal != survey.inspection.journal {
        return Err(refusal.note("another builder changed the journal meanwhile").hint("run `dbbuild` again").into());
    }
    let environment = survey.inspection.mark.as_ref().map(|mark| mark.environment.clone());
    let (now, then) = match sides(site, survey, &altered, &mut *session)? {
        Ok(sides) => sides,
        Err(why) => return Err(refusal.note(why).into()),
    };
    let build = |side: &Side, observer: &mut dyn Observer| {
        make(site, &side.project, &side.checkout, environment.as_deref(), observer)
    };
    let fails = |texts: &str, error: &Error| {
        refusal.clone().note(format!("a fresh build of the {texts} texts fails: {}", why_it_failed(error)))
    };
    let fresh = build(&now, observer).map_err(|error| fails("new", &error))?;
    let before = build(&then, observer).map_err(|error| fails("old", &error))?;
    let mut proof = Proof {
        left: left_behind(&before.rows, &fresh.rows),
        there: session.catalog()?,
        ignore: ignored(site.project)?,
        fresh,
        before,
    };
    let wanted: Vec<TableRows> = proof.fresh.rows.iter().chain(&proof.left).cloned().collect();
    let mut judged = Ok(Vec::new());
    let mut keep = |found: &Catalog, rows: &[Option<Vec<Row>>], moved: &[Moved]| {
        judged = proof.against(found, rows, moved, || build(&now, &mut Silent));
        matches!(&judged, Ok(why) if why.is_empty())
    };
    let kept = session.attempt(&units, &wanted, &mut keep, &site.run, observer);
    let why = judged?;
    match kept {
        Ok(Some(applied)) => {
            tell_proven(&altered, observer);
            for (unit, applied) in units.iter().zip(&applied) {
                observer.event(told::finished(site, unit, applied));
            }
            Ok(units.len())
        }
        Ok(None) => {
            let refusal =
                refusal.note("run again here, it would not be what a fresh build makes; nothing of it was kept");
            Err(why.iter().take(10).fold(refusal, |refusal, line| refusal.note(format!("then {line}"))).into())
        }
        Err(EngineError::Unit(failure)) => {
            let place = failure.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
            let message =
                format!("run again here, it fails{place}: {}; nothing of it was kept", failure.failure.message);
            Err(refusal.note(message).into())
        }
        Err(other) => Err(other.into()),
    }
}

fn tell_proven(altered: &[&Status], observer: &mut dyn Observer) {
    let names: Vec<String> = altered.iter().map(|status| format!("{} {}", status.version, status.name)).collect();
    let names = names.join(", ");
    let message = format!("changed since applied, run again, and proven to be what a fresh build makes: {names}");
    observer.event(Event::Note { code: "altered-proven".into(), message });
}

/// What the target is held to.
struct Proof {
    /// What the new texts make.
    fresh: Made,
    /// What the old ones made.
    before: Made,
    /// The rows that only the old ones brought.
    left: Vec<TableRows>,
    /// What was on the target before.
    there: Catalog,
    ignore: Patterns,
}

impl Proof {
    /// Says why the target is not what a fresh build makes, or what was somebody's and is not as it was. `rows` are
    /// those of the new texts' tables, then those that the old ones left.
    fn against(
        &mut self,
        found: &Catalog,
        rows: &[Option<Vec<Row>>],
        moved: &[Moved],
        again: impl FnOnce() -> Result<Made, Error>,
    ) -> Result<Vec<String>, Error> {
        let mut why = harm(moved, &self.before.rows, &self.fresh.rows);
        let is_lost = |object: &&Object| {
            let key = object.key();
            self.before.catalog.get(&key).is_none() && found.get(&key).is_none()
        };
        let lost = self.there.objects().filter(is_lost);
        why.extend(lost.map(|object| format!("{}, which is somebody's, is gone", object.key())));
        let differences = compare(&self.fresh.catalog, found, &self.ignore, &mut *self.fresh.fresh.session)?;
        why.extend(differences.iter().filter(|one| one.change.counts()).map(line));
        let there = |(table, rows): (&TableRows, &Option<Vec<Row>>)| TableRows {
            rows: rows.clone().unwrap_or_default(),
            ..table.clone()
        };
        let wanted = &self.fresh.rows;
        let is: Vec<TableRows> = wanted.iter().zip(rows).map(there).collect();
        let mut unlike = unlike_rows(wanted, &is);
        if !unlike.is_empty() {
            let steady = Steady::between(wanted, &again()?.rows);
            unlike = unlike_rows(&steady.of(wanted), &steady.of(&is));
        }
        why.extend(unlike);
        let stale = self
            .left
            .iter()
            .zip(rows.iter().skip(wanted.len()))
            .filter(|(_, rows)| rows.as_ref().is_some_and(|rows| !rows.is_empty()));
        why.extend(stale.map(|(table, _)| format!("{} has rows that only the old text brought", table.table)));
        Ok(why)
    }
}

/// Makes the units of the altered scripts, or says why they are not run again.
fn units(site: &Site<'_>, survey: &Survey, altered: &[&Status]) -> Result<Result<Vec<Unit>, String>, Error> {
    let mut units = Vec::new();
    for status in altered {
        let Some(script) = status.script.and_then(|index| survey.checkout.scripts.get(index)) else { continue };
        let planned = planned_script(&script.version, &script.name, &script.file, &script.checksum, status.attempt);
        let unit = unit(site.project, site.target, survey.checkout.dialect, &planned)?;
        if unit.mode == Mode::Statements {
            return Ok(Err(format!("{} runs without a transaction, so it is not run again for a proof", script.file)));
        }
        if let Some(what) = reach::out_of_a_transaction(unit.text.as_str(), survey.checkout.dialect) {
            return Ok(Err(format!(
                "{} has {what}, which no transaction takes back, so it is not run again for a proof",
                script.file
            )));
        }
        if !unit.suspends.is_empty() {
            return Ok(Err(format!("{} suspends code objects, so it is not run again for a proof", script.file)));
        }
        site.engine.judge(&unit)?;
        units.push(unit);
    }
    Ok(Ok(units))
}

/// A set of texts.
struct Side {
    project: Project,
    checkout: Checkout,
}

/// Returns what the target should be after the scripts ran again, and what it was made from: both as far as it is
/// built, with code objects and seeds as the journal has them.
fn sides(
    site: &Site<'_>,
    survey: &Survey,
    altered: &[&Status],
    session: &mut dyn Session,
) -> Result<Result<(Side, Side), String>, Error> {
    let entries = survey.inspection.journal.as_deref().unwrap_or_default();
    let mut code = Vec::new();
    for source in &survey.checkout.code {
        let entry = entry_of(entries, Kind::Code, &source.file);
        if entry.is_some_and(|entry| entry.checksum != source.checksum) {
            match session.entry_text(&site.project.name, Kind::Code, &source.file)? {
                Some(text) => code.push((source.file.clone(), text)),
                None => return Ok(Err(format!("the journal has no text of {}", source.file))),
            }
        }
    }
    let mut scripts = Vec::new();
    for status in altered {
        let Some(script) = status.script.and_then(|index| survey.checkout.scripts.get(index)) else { continue };
        match session.entry_text(&site.project.name, Kind::Script, &script.version.to_string())? {
            Some(text) => scripts.push((script.file.clone(), text)),
            None => return Ok(Err(format!("the journal has no text of {}, so nothing can be compared", script.file))),
        }
    }
    let side = |texts: Vec<(String, String)>| -> Result<Side, Error> {
        let project = with_texts(site.project, texts);
        let mut checkout = discover(&project, survey.checkout.dialect)?;
        let is_to_run = |status: &Status, version: &Version| status.version == *version && status.state.is_to_run();
        checkout
            .scripts
            .retain(|script| !survey.reconciled.statuses.iter().any(|status| is_to_run(status, &script.version)));
        checkout.code.retain(|source| entry_of(entries, Kind::Code, &source.file).is_some());
        checkout.seeds.retain(|seed| changed(&seed.source, entries, Kind::Seed).is_none());
        Ok(Side { project, checkout })
    };
    let now = side(code.clone())?;
    let then = side(code.into_iter().chain(scripts).collect())?;
    Ok(Ok((now, then)))
}

fn entry_of<'a>(entries: &'a [Entry], kind: Kind, key: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.kind == kind && entry.key == key)
}
