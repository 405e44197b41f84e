//! What a build would do, as a value: it can be shown, saved, compared, and executed later if the database and
//! the files still match it. Pure.

mod code;
mod half_loaded;
mod refuse;
mod scripts;
mod squashed;
mod value;
mod versions;

pub use code::{has_due, is_settled};
use refuse::refuse_sync;
pub use refuse::{refuse_foreign, refuse_other_mark};
pub use squashed::damaged as damaged_base;
pub use value::{FORMAT, Note, Plan, PlannedFile, PlannedScript, Step, Wish};
pub use versions::refuse_from;
use versions::refuse_unknown;

use super::{Checkout, Refusal, Seed};
use crate::engine::Inspection;
use crate::journal::{Entry, Kind, Mark, Reconciled, Stored};
use crate::project::Target;
use crate::project::settings::PolicySettings;
use crate::script::{Checksum, Source};

/// Returns true if a load was stopped half-way.
pub fn is_half_loaded(entries: &[Entry]) -> bool {
    half_loaded::entry(entries).is_some()
}

/// What the planner looks at.
pub struct Facts<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The checkout.
    pub checkout: &'a Checkout,
    /// The checkout's code files in the order of their references.
    pub code: &'a [Source],
    /// The folder of the code files.
    pub code_folder: &'a str,
    /// The seeds that are for this database, those of other environments left out.
    pub seeds: &'a [Seed],
    /// The database.
    pub inspection: &'a Inspection,
    /// Scripts against the journal.
    pub reconciled: &'a Reconciled,
    /// The target.
    pub target: &'a Target,
    /// The target for people.
    pub described: &'a str,
    /// True if the database is on this machine.
    pub is_local: bool,
    /// What a build does in states that teams judge differently.
    pub policy: &'a PolicySettings,
    /// The file of the base that is not the one that was written, asked only where the base may be loaded.
    pub damage: Option<String>,
    /// The baseline's folder.
    pub baseline_folder: &'a str,
    /// True if the committed baseline is of exactly these scripts, code and seeds.
    pub baseline_belongs: bool,
    /// True if it may be loaded: it belongs, and this server reads it.
    pub baseline_loads: bool,
    /// What tells the committed baseline from every other; asked only where a load of one is under way.
    pub baseline_checksum: Option<Checksum>,
    /// What was asked for.
    pub wish: &'a Wish,
}

/// Plans a build, or says why there will be none.
pub fn plan(facts: &Facts<'_>) -> Result<Plan, Refusal> {
    let mut plan = steps(facts)?;
    // Only a plan that does something is ever held to the journal that it was made from.
    if !plan.is_empty() {
        plan.journal = journal_digest(facts.inspection.journal.as_deref().unwrap_or_default());
    }
    Ok(plan)
}

fn steps(facts: &Facts<'_>) -> Result<Plan, Refusal> {
    refuse_foreign(facts)?;
    if let Some(to) = &facts.wish.to {
        refuse_unknown(to, facts)?;
    }
    let first_mark = first_mark(facts.target, facts.is_local);
    let fresh = facts.inspection.journal.is_none();
    let protected = is_protected(facts.inspection, first_mark.as_ref());
    let mut plan = Plan {
        format: FORMAT,
        project: facts.project.to_owned(),
        target: facts.described.to_owned(),
        version: facts.reconciled.version.clone(),
        journal: Checksum::default(),
        wish: facts.wish.clone(),
        steps: Vec::new(),
        notes: Vec::new(),
    };
    if fresh {
        plan.steps.push(Step::Journal { mark: first_mark.clone() });
    }
    if half_loaded::of_baseline(facts, &mut plan)? || may_load(facts) {
        plan.steps.push(Step::Load { folder: facts.baseline_folder.to_owned() });
        let own = facts.seeds.iter().filter(|seed| seed.environment.is_some());
        plan.steps.extend(own.filter_map(|seed| changed(&seed.source, &[], Kind::Seed).map(Step::Seed)));
        return Ok(plan);
    }
    let goes_on = scripts::steps(facts, protected, &mut plan)?;
    if goes_on && facts.wish.to.is_none() {
        let entries = facts.inspection.journal.as_deref().unwrap_or_default();
        code::steps(facts, entries, &mut plan);
        if !facts.wish.no_seed {
            refuse_sync(facts, protected, entries)?;
            let seeds = facts.seeds.iter().filter_map(|seed| changed(&seed.source, entries, Kind::Seed));
            plan.steps.extend(seeds.map(Step::Seed));
        }
        if wants_baseline(facts, first_mark.as_ref().filter(|_| fresh)) {
            plan.steps.push(Step::Baseline { folder: facts.baseline_folder.to_owned() });
        }
    }
    Ok(plan)
}

/// Returns true if the committed baseline may stand for every script, code object and seed.
fn may_load(facts: &Facts<'_>) -> bool {
    let Wish { to, no_seed, from_scripts, .. } = facts.wish;
    facts.inspection.is_untouched() && facts.baseline_loads && to.is_none() && !from_scripts && !no_seed
}

/// Returns true if the baseline is to be written; `first` is the mark that this build writes.
fn wants_baseline(facts: &Facts<'_>, first: Option<&Mark>) -> bool {
    let mark = facts.inspection.mark.as_ref().or(first);
    let is_development = mark.is_some_and(|mark| mark.environment == "development");
    facts.target.baseline.unwrap_or(is_development) && !facts.wish.no_baseline && !facts.baseline_belongs
}

/// Returns the mark that the first journal writes: a configured target's environment, `development` for a bare
/// URL that is a file or a local host, none otherwise.
pub fn first_mark(target: &Target, is_local: bool) -> Option<Mark> {
    let environment = match (&target.environment, &target.name) {
        (Some(environment), _) => environment.clone(),
        (None, None) if is_local => "development".to_owned(),
        (None, _) => return None,
    };
    let protected = target.protected.unwrap_or(environment == "production");
    Some(Mark { environment, protected })
}

/// Returns true if destructive commands must be refused: the mark says so, or there is none.
pub fn is_protected(inspection: &Inspection, first_mark: Option<&Mark>) -> bool {
    match (&inspection.mark, &inspection.journal) {
        (Some(mark), _) => mark.protected,
        (None, Some(_)) => true,
        (None, None) => first_mark.is_none_or(|mark| mark.protected),
    }
}

/// Returns a file as it is planned, unless the journal has this text as done.
pub fn changed(source: &Source, entries: &[Entry], kind: Kind) -> Option<PlannedFile> {
    planned_file(source, entries.iter().find(|entry| entry.kind == kind && entry.key == source.file))
}

/// Returns a file as it is planned, unless its newest entry has this text as done.
fn planned_file(source: &Source, entry: Option<&Entry>) -> Option<PlannedFile> {
    let is_done = |entry: &Entry| entry.state != Stored::Running && entry.state != Stored::Reverted;
    if entry.is_some_and(|entry| is_done(entry) && entry.checksum == source.checksum) {
        return None;
    }
    Some(PlannedFile {
        file: source.file.clone(),
        checksum: source.checksum.clone(),
        attempt: entry.map_or(0, |entry| entry.attempt),
        why: if entry.is_some() { "changed" } else { "new" }.to_owned(),
    })
}

fn journal_digest(entries: &[Entry]) -> Checksum {
    let rows: Vec<String> = entries
        .iter()
        .map(|entry| {
            format!(
                "{} {} {} {} {}",
                entry.kind.as_str(),
                entry.key,
                entry.attempt,
                entry.state.as_str(),
                entry.checksum
            )
        })
        .collect();
    Checksum::of_tokens(rows.iter().map(String::as_str))
}
