//! The code objects: what a session is asked to do with them, and what it did.

use super::plan::{PlannedFile, Step};
use super::told::{finished, short_name};
use super::unit::{planned_file, unit};
use super::{Checkout, Site};
use crate::engine::{CodeFile, CodeWork, GoneFile, Inspection, Session, Unit};
use crate::error::Error;
use crate::event::{Event, Observer, Silent, StepKind, StepResult};
use crate::journal::{Entry, Kind, NewEntry, Stored};
use crate::script::{Checksum, Source};

mod order;
mod text;
mod way;

pub use order::order;
use order::ordered;
pub use way::{in_the_way, refuse_hidden, warn_of_absence};

/// Returns true for the steps that are done together, in one transaction.
pub fn is_of_code(step: &Step) -> bool {
    matches!(step, Step::Keep { .. } | Step::Drop(_) | Step::Code(_))
}

/// Has the code objects looked after: `scripts` run first, in the same transaction. Returns how many steps were done;
/// nothing if another builder was faster.
#[allow(clippy::too_many_arguments)]
pub fn keep(
    site: &Site<'_>,
    checkout: &Checkout,
    inspection: &Inspection,
    scripts: Vec<Unit>,
    steps: &[Step],
    is_whole: bool,
    session: &mut dyn Session,
    observer: &mut dyn Observer,
) -> Result<Option<usize>, Error> {
    for unit in &scripts {
        observer.event(Event::Started { step: StepKind::Apply, name: short_name(site, unit.text.file()) });
    }
    let work = work(site, checkout, inspection, scripts, steps, is_whole)?;
    let kept = session.keep_code(&work, &site.run, observer);
    let kept = kept.map_err(|error| match work.scripts.first() {
        Some(script) => in_the_way(site, script, error),
        None => error.into(),
    })?;
    let Some(kept) = kept else { return Ok(None) };
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
    keep(site, checkout, &inspection, Vec::new(), &steps, true, session, &mut Silent).map(|_| ())
}

fn work(
    site: &Site<'_>,
    checkout: &Checkout,
    inspection: &Inspection,
    scripts: Vec<Unit>,
    steps: &[Step],
    is_whole: bool,
) -> Result<CodeWork, Error> {
    let entries = inspection.journal.as_deref().unwrap_or_default();
    let entry = |file: &str| entries.iter().find(|entry| entry.kind == Kind::Code && entry.key == file);
    let attempt = |file: &str| entry(file).map_or(0, |entry| entry.attempt);
    let (order, needs) = ordered(site.project, checkout.dialect, &checkout.code)?;
    let mut files = Vec::with_capacity(order.len());
    for (source, needs) in order.iter().zip(needs) {
        let planned = planned_file(Kind::Code, &source.file, &source.checksum, attempt(&source.file));
        let unit = unit(site.project, site.target, checkout.dialect, &planned)?;
        let is_due = steps.iter().any(|step| matches!(step, Step::Code(file) if file.file == source.file));
        files.push(CodeFile { unit, is_due, needs });
    }
    let is_here = |entry: &&Entry| checkout.code.iter().any(|source| source.file == entry.key);
    let folder = site.project.code_folder();
    let gone = entries
        .iter()
        .filter(|entry| entry.kind == Kind::Code && entry.key != folder && entry.state != Stored::Reverted)
        .filter(|entry| !is_here(entry))
        .map(|entry| GoneFile {
            entry: bare(site, &entry.key, entry.attempt + 1, Stored::Reverted),
            drop: steps.iter().any(|step| matches!(step, Step::Drop(file) if file.file == entry.key)),
        })
        .collect();
    let marker = bare(site, &folder, attempt(&folder) + 1, Stored::Applied);
    Ok(CodeWork { scripts, files, gone, marker, is_whole })
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
