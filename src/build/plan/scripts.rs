//! The steps of the scripts: which run, which are only journaled, and where checkout and database do not agree.

use super::refuse::{refuse_altered, refuse_half_way, refuse_late};
use super::squashed;
use super::versions::note_beyond;
use super::{Facts, Plan, PlannedScript, Refusal, Step};
use crate::journal::{Entry, State, Status};
use crate::project::settings::Policy;
use crate::script::Version;

/// Adds the steps of the scripts; returns false if code and seeds are to be left alone too.
pub(super) fn steps(facts: &Facts<'_>, protected: bool, plan: &mut Plan) -> Result<bool, Refusal> {
    squashed::refuse_gap(facts)?;
    let base = squashed::base(facts)?;
    if let Some(base) = base {
        plan.steps.push(Step::Base { folder: base.folder.clone(), version: base.version.clone() });
    }
    let altered = in_state(State::Altered, facts);
    squashed::refuse_other_text(&altered, facts)?;
    if !altered.is_empty() {
        return Err(refuse_altered(&altered, protected, facts));
    }
    let to_run = to_run(base.is_some(), facts);
    let ahead = in_state(State::Ahead, facts);
    if to_run.is_empty() && !ahead.is_empty() {
        return refuse_or_note_ahead(&ahead, facts, plan).map(|()| false);
    }
    refuse_or_note_others(&to_run, protected, facts, plan)?;
    note_beyond(facts, plan);
    let vacated = note(facts, plan);
    for status in to_run {
        if status.state == State::Late {
            refuse_or_note_late(status, facts, plan)?;
        }
        if let Some(mut script) = planned(status, facts) {
            script.attempt += i32::from(vacated.contains(&script.version));
            let state = if squashed::is_unbuilt(status) { State::Pending } else { status.state };
            plan.steps.push(Step::Apply { script, why: state.word().to_owned() });
        }
    }
    Ok(true)
}

fn in_state<'a>(state: State, facts: &Facts<'a>) -> Vec<&'a Status> {
    facts.reconciled.in_state(state).collect()
}

/// Returns the scripts that run, as far as was asked for.
fn to_run<'a>(has_base: bool, facts: &Facts<'a>) -> Vec<&'a Status> {
    let limit = facts.wish.to.as_ref();
    facts
        .reconciled
        .statuses
        .iter()
        .filter(|status| status.state.is_to_run() || (!has_base && squashed::is_unbuilt(status)))
        .filter(|status| limit.is_none_or(|limit| status.version <= *limit))
        .collect()
}

fn refuse_or_note_ahead(ahead: &[&Status], facts: &Facts<'_>, plan: &mut Plan) -> Result<(), Refusal> {
    let message = format!("{} is newer than this checkout: it has {}", facts.described, names(ahead));
    if facts.policy.ahead == Some(Policy::Refuse) {
        return Err(Refusal::new("journal/ahead", message).hint("pull, and build again"));
    }
    plan.note("ahead", format!("{message}; nothing is run"));
    Ok(())
}

/// Of scripts that the database has and the checkout lacks: protected databases refuse, others are told.
fn refuse_or_note_others(
    to_run: &[&Status],
    protected: bool,
    facts: &Facts<'_>,
    plan: &mut Plan,
) -> Result<(), Refusal> {
    let missing = in_state(State::Missing, facts);
    let others = [in_state(State::Ahead, facts), missing.clone()].concat();
    refuse_half_way(&others, to_run, facts)?;
    match (to_run.is_empty(), protected) {
        _ if others.is_empty() => {}
        (true, true) => {
            let message = format!("{} has scripts that this checkout lacks: {}", facts.described, names(&missing));
            return Err(Refusal::new("journal/missing", message)
                .hint("check out the revision that has them")
                .hint("if they were deleted on purpose, put them back: an applied script stays"));
        }
        (false, true) => {
            let message = format!("{} and this checkout went different ways", facts.described);
            return Err(Refusal::new("journal/branches", message)
                .note(format!("only in the database: {}", names(&others)))
                .note(format!("only in this checkout: {}", names(to_run)))
                .hint("check out a revision that has both, and build from there"));
        }
        (is_all, false) => {
            let code = if is_all { "missing" } else { "branches" };
            plan.note(code, format!("applied here, and not in this checkout: {}", names(&others)));
        }
    }
    Ok(())
}

/// Notes the scripts that did not change but in comments or in their version. Returns the versions that were given
/// away.
fn note(facts: &Facts<'_>, plan: &mut Plan) -> Vec<Version> {
    let mut vacated = Vec::new();
    for status in &facts.reconciled.statuses {
        if matches!(status.state, State::Reworded | State::Moved)
            && let Some(script) = planned(status, facts)
        {
            plan.note(status.state.word(), noted(status, facts));
            let freed = freed(status, facts);
            vacated.extend(freed.as_ref().map(|freed| freed.version.clone()));
            plan.steps.push(Step::Note { script, why: status.state.word().to_owned(), freed });
        }
    }
    vacated
}

fn refuse_or_note_late(late: &Status, facts: &Facts<'_>, plan: &mut Plan) -> Result<(), Refusal> {
    let is_allowed = facts.policy.late != Some(Policy::Refuse) || facts.wish.allow_late.contains(&late.version);
    if !is_allowed {
        return Err(refuse_late(late, facts));
    }
    let newest = plan.version.as_ref().map(ToString::to_string).unwrap_or_default();
    plan.note("late", format!("{} is late: it runs although {newest} is applied", name(late)));
    Ok(())
}

pub(super) fn entry_of<'a>(status: &Status, facts: &Facts<'a>) -> Option<&'a Entry> {
    facts.inspection.journal.as_ref()?.get(status.entry?)
}

fn noted(status: &Status, facts: &Facts<'_>) -> String {
    match (entry_of(status, facts), status.state) {
        (Some(entry), State::Moved) => {
            format!("{} was applied as {} {}; its text is the same", name(status), entry.key, entry.name)
        }
        _ => format!("{} changed in comments or white space only", name(status)),
    }
}

pub(super) fn name(status: &Status) -> String {
    if status.name.is_empty() { status.version.to_string() } else { format!("{} {}", status.version, status.name) }
}

pub(super) fn names(statuses: &[&Status]) -> String {
    let mut shown: Vec<String> = statuses.iter().take(10).map(|status| name(status)).collect();
    if statuses.len() > 10 {
        shown.push(format!("and {} more", statuses.len() - 10));
    }
    shown.join(", ")
}

/// Returns the entry that a script moved away from, if its version is another script's now, which is to run.
fn freed(moved: &Status, facts: &Facts<'_>) -> Option<PlannedScript> {
    let entry = entry_of(moved, facts)?;
    let version: Version = entry.key.parse().ok()?;
    let is_taken = |status: &Status| status.version == version && matches!(status.state, State::Pending | State::Late);
    facts.reconciled.statuses.iter().find(|status| is_taken(status))?;
    Some(PlannedScript { version, name: entry.name.clone(), attempt: entry.attempt, ..planned(moved, facts)? })
}

fn planned(status: &Status, facts: &Facts<'_>) -> Option<PlannedScript> {
    let script = facts.checkout.scripts.get(status.script?)?;
    Some(PlannedScript {
        version: script.version.clone(),
        name: script.name.clone(),
        file: script.file.clone(),
        checksum: script.checksum.clone(),
        attempt: status.attempt,
    })
}
