//! Scripts that are journaled without running: reworded and moved ones, and those that are taken as applied.

use super::plan::{PlannedScript, Step};
use super::told::short_name;
use super::unit::{planned_script, unit};
use super::{Checkout, Site};
use crate::engine::Session;
use crate::error::Error;
use crate::event::{Event, Observer, StepKind, StepResult};
use crate::journal::{NewEntry, Stored};
use crate::script::Script;

/// A script to journal without running it, why, and the version it gave away.
pub type NoteOf<'a> = (&'a PlannedScript, &'a str, Option<&'a PlannedScript>);

/// Returns what a step notes.
pub fn note_of(step: &Step) -> Option<NoteOf<'_>> {
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
pub fn note(
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
    script: &Script,
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
