//! The code objects: what a session is asked to do with them, and what it did.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::parallel::in_parallel;
use super::plan::{PlannedFile, Step, is_settled};
use super::told::{finished, short_name};
use super::unit::{planned_file, unit};
use super::{Checkout, Site};
use crate::engine::{CodeFile, CodeWork, GoneFile, Inspection, Keeping, Session, Unit};
use crate::error::Error;
use crate::event::{Event, Observer, Silent, StepKind, StepResult};
use crate::journal::{Entry, Kind, NewEntry, Stored};
use crate::script::{Checksum, Source};

mod order;
mod reach;
mod text;
mod way;

pub use order::{Order, order};
pub use way::{in_the_way, refuse_hidden, warn_of_absence};

/// Returns true for the steps that are done together, in one transaction.
pub fn is_of_code(step: &Step) -> bool {
    matches!(step, Step::Keep { .. } | Step::Drop(_) | Step::Code(_))
}

/// What is done for the code objects in one transaction.
pub struct Turn<'a> {
    /// The steps.
    pub steps: &'a [Step],
    /// Scripts that run first.
    pub scripts: Vec<Unit>,
    /// False if the objects that these suspend come back in a later transaction.
    pub is_whole: bool,
    /// True if scripts ran before it in this build.
    pub is_after_scripts: bool,
}

/// Has the code objects looked after. Returns how many steps were done; nothing if another builder was faster.
pub fn keep(
    site: &Site<'_>,
    checkout: &Checkout,
    inspection: &Inspection,
    turn: Turn<'_>,
    session: &mut dyn Session,
    observer: &mut dyn Observer,
) -> Result<Option<usize>, Error> {
    for unit in &turn.scripts {
        observer.event(Event::Started { step: StepKind::Apply, name: short_name(site, unit.text.file()) });
    }
    let (steps, is_whole) = (turn.steps, turn.is_whole);
    let is_partial = may_be_partial(inspection, &turn);
    let mut work = work(site, checkout, inspection, turn, is_partial)?;
    let mut kept = session.keep_code(&work, &site.run, observer);
    if matches!(kept, Ok(Keeping::Lacks)) {
        (work.files, work.others) = files(site, checkout, inspection, steps, false)?;
        kept = session.keep_code(&work, &site.run, observer);
    }
    let kept = kept.map_err(|error| match work.scripts.first() {
        Some(script) => in_the_way(site, script, error),
        None => error.into(),
    })?;
    let Keeping::Done(kept) = kept else { return Ok(None) };
    for (unit, applied) in work.scripts.iter().zip(&kept.scripts) {
        observer.event(finished(site, unit, applied));
    }
    for (at, applied, again) in &kept.files {
        let file = &work.files[*at];
        let mut event = finished(site, &file.unit, applied);
        if let (Event::Finished { result, .. }, false) = (&mut event, file.is_due) {
            let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
            let (statements, skipped) = (count(applied.statements + applied.skipped), count(applied.skipped));
            *result = StepResult::Made { statements, skipped, why: again.word().to_owned() };
        }
        observer.event(event);
    }
    if is_whole && !kept.dropped.is_empty() {
        let message = format!("dropped, since no code file makes it any more: {}", kept.dropped.join(", "));
        observer.event(Event::Note { code: "code-dropped".into(), message });
    }
    let drops = steps.iter().filter(|step| matches!(step, Step::Drop(_))).count();
    Ok(Some(kept.scripts.len() + kept.files.len() + drops))
}

/// Has every code file run, whether it is due or not: for whoever wants to know what that changes.
pub fn run_all(site: &Site<'_>, checkout: &Checkout, session: &mut dyn Session) -> Result<(), Error> {
    let inspection = session.inspect(&site.project.name)?;
    let step = |source: &Source| {
        let Source { file, checksum } = source.clone();
        Step::Code(PlannedFile { file, checksum, attempt: 0, why: "proof".to_owned() })
    };
    let steps: Vec<Step> = checkout.code.iter().map(step).collect();
    let turn = Turn { steps: &steps, scripts: Vec::new(), is_whole: true, is_after_scripts: false };
    keep(site, checkout, &inspection, turn, session, &mut Silent).map(|_| ())
}

/// Returns true if what nothing reaches can be left out: no script ran since all objects were looked after, and it is
/// known what changed.
fn may_be_partial(inspection: &Inspection, turn: &Turn<'_>) -> bool {
    let entries = inspection.journal.as_deref().unwrap_or_default();
    let mut steps = turn.steps.iter();
    let is_after_scripts = turn.is_after_scripts || !turn.scripts.is_empty();
    let is_of_files = steps.clone().any(|step| matches!(step, Step::Code(_)));
    is_of_files && !is_after_scripts && is_settled(entries) && !steps.any(|step| matches!(step, Step::Drop(_)))
}

/// Returns the newest entries of the code files.
fn newest(inspection: &Inspection) -> HashMap<&str, &Entry> {
    let entries = inspection.journal.iter().flatten();
    entries.filter(|entry| entry.kind == Kind::Code).map(|entry| (entry.key.as_str(), entry)).collect()
}

/// Makes the code files that are to be looked at, in order; those that are left out are told by their keys.
fn files(
    site: &Site<'_>,
    checkout: &Checkout,
    inspection: &Inspection,
    steps: &[Step],
    is_partial: bool,
) -> Result<(Vec<CodeFile>, Vec<String>), Error> {
    let due: BTreeSet<String> = steps
        .iter()
        .filter_map(|step| if let Step::Code(file) = step { Some(file.file.clone()) } else { None })
        .collect();
    let order = checkout.code_order(site.project, is_partial.then_some(&due))?;
    let entries = newest(inspection);
    let is_due = |source: &Source| due.contains(&source.file);
    let reached = order.reached(|source| !is_partial || is_due(source));
    let (wanted, others): (Vec<usize>, Vec<usize>) = (0..order.files.len()).partition(|at| reached[*at]);
    let mut places = vec![None; order.files.len()];
    for (place, at) in wanted.iter().enumerate() {
        places[*at] = Some(place);
    }
    let made = in_parallel(&wanted, |at, _| -> Result<CodeFile, Error> {
        let source = &order.files[*at];
        let attempt = entries.get(source.file.as_str()).map_or(0, |entry| entry.attempt);
        let planned = planned_file(Kind::Code, &source.file, &source.checksum, attempt);
        let unit = unit(site.project, site.target, checkout.dialect, &planned)?;
        let needs = order.needs[*at].iter().filter_map(|needed| places[*needed]).collect();
        Ok(CodeFile { unit, is_due: is_due(source), needs })
    });
    let files = made.into_iter().collect::<Result<_, _>>()?;
    Ok((files, others.into_iter().map(|at| order.files[at].file.clone()).collect()))
}

fn work(
    site: &Site<'_>,
    checkout: &Checkout,
    inspection: &Inspection,
    turn: Turn<'_>,
    is_partial: bool,
) -> Result<CodeWork, Error> {
    let Turn { steps, scripts, is_whole, .. } = turn;
    let (files, others) = files(site, checkout, inspection, steps, is_partial)?;
    let here: HashSet<&str> = checkout.code.iter().map(|source| source.file.as_str()).collect();
    let folder = site.project.code_folder();
    let entries = newest(inspection);
    let mut gone: Vec<&Entry> = entries
        .values()
        .copied()
        .filter(|entry| entry.key != folder && entry.state != Stored::Reverted && !here.contains(entry.key.as_str()))
        .collect();
    gone.sort_by_key(|entry| entry.sequence);
    let gone = gone
        .into_iter()
        .map(|entry| GoneFile {
            entry: bare(site, &entry.key, entry.attempt + 1, Stored::Reverted),
            drop: steps.iter().any(|step| matches!(step, Step::Drop(file) if file.file == entry.key)),
        })
        .collect();
    let attempt = entries.get(folder.as_str()).map_or(0, |entry| entry.attempt);
    let marker = bare(site, &folder, attempt + 1, Stored::Applied);
    Ok(CodeWork { scripts, files, others, gone, marker, is_whole })
}

/// Makes an entry without a text.
fn bare(site: &Site<'_>, key: &str, attempt: i32, state: Stored) -> NewEntry {
    NewEntry {
        project: site.project.name.clone(),
        kind: Kind::Code,
        key: key.to_owned(),
        order_key: key.to_owned(),
        attempt,
        name: key.to_owned(),
        checksum: Checksum::of_text(""),
        token_checksum: Checksum::of_text(""),
        text: None,
        state,
        statements: 0,
        objects: Vec::new(),
    }
}
