//! What a build would do, as a value: it can be shown, saved, compared, and executed later if the database and
//! the files still match it. Pure.

mod code;
mod half_loaded;
mod refuse;
mod squashed;
mod versions;

use serde::{Deserialize, Serialize};

pub use code::{due, is_settled};
use refuse::{refuse_altered, refuse_half_way, refuse_late, refuse_sync};
pub use refuse::{refuse_foreign, refuse_other_mark};
pub use squashed::damaged as damaged_base;
pub use versions::refuse_from;
use versions::{note_beyond, refuse_unknown};

use super::{Checkout, Refusal, Seed};
use crate::engine::Inspection;
use crate::journal::{Entry, Kind, Mark, Reconciled, State, Status, Stored};
use crate::project::Target;
use crate::project::settings::{Policy, PolicySettings};
use crate::script::{Checksum, Source, Version};

/// The ordered steps of a build, and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The format of a saved plan.
    pub format: u32,
    /// The project's name.
    pub project: String,
    /// The target, without secrets.
    pub target: String,
    /// The newest applied version before.
    pub version: Option<Version>,
    /// A digest of the journal that the plan was made from.
    pub journal: Checksum,
    /// What was asked for.
    #[serde(default, skip_serializing_if = "Wish::is_default")]
    pub wish: Wish,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What is worth knowing and stops nothing.
    pub notes: Vec<Note>,
}

/// The format of saved plans that this program writes and reads.
pub const FORMAT: u32 = 1;

/// One element of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Creates the journal and writes the database's mark.
    Journal {
        /// The mark, if the database gets one.
        mark: Option<Mark>,
    },
    /// Loads the baseline, which stands for every script, code object and seed.
    Load {
        /// The baseline's folder.
        folder: String,
    },
    /// Loads the base, which stands for the scripts that were squashed.
    Base {
        /// The base's folder.
        folder: String,
        /// The version that it comes to.
        version: Version,
    },
    /// Journals a script whose text did not change without running it.
    Note {
        /// The script.
        script: PlannedScript,
        /// Why: reworded or moved.
        why: String,
        /// The version that a moved script gave away, if another script has it now: journaled as reverted in the
        /// same transaction, so that the other one counts as not run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        freed: Option<PlannedScript>,
    },
    /// Runs a script.
    Apply {
        /// The script.
        script: PlannedScript,
        /// Why: pending, late, running or reverted.
        why: String,
    },
    /// Runs the file of a code object.
    Code(PlannedFile),
    /// Looks after the code objects whose files did not change: each that is absent or different is applied again.
    Keep {
        /// The folder of the code files.
        folder: String,
    },
    /// Drops what a code file made that is not there any more.
    Drop(PlannedFile),
    /// Brings in a seed.
    Seed(PlannedFile),
    /// Regenerates the baseline.
    Baseline {
        /// The baseline's folder.
        folder: String,
    },
}

/// A script in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedScript {
    /// The version.
    pub version: Version,
    /// The name.
    pub name: String,
    /// The file.
    pub file: String,
    /// The text's checksum.
    pub checksum: Checksum,
    /// The newest attempt that the journal has of it.
    pub attempt: i32,
}

/// A code file or a seed in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFile {
    /// The file.
    pub file: String,
    /// Its checksum.
    pub checksum: Checksum,
    /// The newest attempt that the journal has of it.
    pub attempt: i32,
    /// Why: new or changed.
    pub why: String,
}

/// Something worth knowing that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// A stable name: `late`, `ahead`, `missing`.
    pub code: String,
    /// One sentence.
    pub message: String,
}

/// Returns true if a load was stopped half-way.
pub fn is_half_loaded(entries: &[Entry]) -> bool {
    half_loaded::entry(entries).is_some()
}

/// What a build was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Wish {
    /// Stop after this version, and leave code, seeds and baseline alone.
    pub to: Option<Version>,
    /// Leave the seeds alone.
    pub no_seed: bool,
    /// Leave the baseline alone.
    pub no_baseline: bool,
    /// Do not load the baseline into an empty database.
    pub from_scripts: bool,
    /// Late versions that may run although the policy refuses them.
    pub allow_late: Vec<Version>,
    /// Drop what code files made that are not there any more.
    pub drop_code: bool,
}

impl Wish {
    /// Returns true if nothing but a build was asked for.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
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
    let environment = match &facts.inspection.mark {
        Some(mark) => Some(mark.environment.clone()),
        None if fresh => first_mark.map(|mark| mark.environment),
        None => None,
    };
    let is_whole = facts.wish.to.is_none();
    let goes_on = half_loaded::of_baseline(facts, &mut plan)?;
    let is_empty = facts.inspection.is_untouched();
    let may_load = is_empty && is_whole && facts.baseline_loads && !facts.wish.from_scripts && !facts.wish.no_seed;
    if goes_on || may_load {
        plan.steps.push(Step::Load { folder: facts.baseline_folder.to_owned() });
        let own = facts.seeds.iter().filter(|seed| seed.environment.is_some());
        plan.steps.extend(own.filter_map(|seed| changed(&seed.source, &[], Kind::Seed).map(Step::Seed)));
        return Ok(plan);
    }
    let goes_on = scripts(facts, protected, &mut plan)?;
    if goes_on && is_whole {
        let entries = facts.inspection.journal.as_deref().unwrap_or_default();
        code::steps(facts, entries, &mut plan);
        if !facts.wish.no_seed {
            refuse_sync(facts, protected, entries)?;
            plan.steps.extend(
                facts.seeds.iter().filter_map(|seed| changed(&seed.source, entries, Kind::Seed).map(Step::Seed)),
            );
        }
        let wants = facts.target.baseline.unwrap_or(environment.as_deref() == Some("development"));
        if wants && !facts.wish.no_baseline && !facts.baseline_belongs {
            plan.steps.push(Step::Baseline { folder: facts.baseline_folder.to_owned() });
        }
    }
    Ok(plan)
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

/// Adds the steps of the scripts; returns false if code and seeds are to be left alone too.
fn scripts(facts: &Facts<'_>, protected: bool, plan: &mut Plan) -> Result<bool, Refusal> {
    let reconciled = facts.reconciled;
    let list = |state: State| reconciled.in_state(state).collect::<Vec<_>>();
    squashed::refuse_gap(facts)?;
    let base = squashed::base(facts)?;
    if let Some(base) = base {
        plan.steps.push(Step::Base { folder: base.folder.clone(), version: base.version.clone() });
    }
    let altered = list(State::Altered);
    squashed::refuse_other_text(&altered, facts)?;
    if !altered.is_empty() {
        return Err(refuse_altered(&altered, protected, facts));
    }
    let (ahead, missing) = (list(State::Ahead), list(State::Missing));
    let limit = facts.wish.to.as_ref();
    let to_run: Vec<&Status> = reconciled
        .statuses
        .iter()
        .filter(|status| status.state.is_to_run() || (base.is_none() && squashed::is_unbuilt(status)))
        .filter(|status| limit.is_none_or(|limit| status.version <= *limit))
        .collect();
    if to_run.is_empty() && !ahead.is_empty() {
        return refuse_or_note_ahead(&ahead, facts, plan).map(|()| false);
    }
    let others: Vec<&Status> = ahead.iter().chain(&missing).copied().collect();
    refuse_half_way(&others, &to_run, facts)?;
    if to_run.is_empty() && !missing.is_empty() {
        if protected {
            return Err(Refusal::new(
                "journal/missing",
                format!("{} has scripts that this checkout lacks: {}", facts.described, names(&missing)),
            )
            .hint("check out the revision that has them")
            .hint("if they were deleted on purpose, put them back: an applied script stays"));
        }
        plan.note("missing", format!("applied here, and not in this checkout: {}", names(&missing)));
    }
    if !to_run.is_empty() && !others.is_empty() {
        if protected {
            return Err(Refusal::new(
                "journal/branches",
                format!("{} and this checkout went different ways", facts.described),
            )
            .note(format!("only in the database: {}", names(&others)))
            .note(format!("only in this checkout: {}", names(&to_run)))
            .hint("check out a revision that has both, and build from there"));
        }
        plan.note("branches", format!("applied here, and not in this checkout: {}", names(&others)));
    }
    note_beyond(facts, plan);
    let mut vacated = Vec::new();
    for status in &reconciled.statuses {
        if matches!(status.state, State::Reworded | State::Moved)
            && let Some(script) = planned(status, facts)
        {
            plan.note(status.state.word(), noted(status, facts));
            let freed = freed(status, facts);
            vacated.extend(freed.as_ref().map(|freed| freed.version.clone()));
            plan.steps.push(Step::Note { script, why: status.state.word().to_owned(), freed });
        }
    }
    for status in to_run {
        if status.state == State::Late {
            let allowed = facts.policy.late != Some(Policy::Refuse) || facts.wish.allow_late.contains(&status.version);
            if !allowed {
                return Err(refuse_late(status, facts));
            }
            let newest = plan.version.as_ref().map(ToString::to_string).unwrap_or_default();
            plan.note("late", format!("{} is late: it runs although {newest} is applied", name(status)));
        }
        if let Some(mut script) = planned(status, facts) {
            script.attempt += i32::from(vacated.contains(&script.version));
            let state = if squashed::is_unbuilt(status) { State::Pending } else { status.state };
            plan.steps.push(Step::Apply { script, why: state.word().to_owned() });
        }
    }
    Ok(true)
}

impl Plan {
    fn note(&mut self, code: &str, message: String) {
        self.notes.push(Note { code: code.to_owned(), message });
    }

    /// Returns true if there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

fn refuse_or_note_ahead(ahead: &[&Status], facts: &Facts<'_>, plan: &mut Plan) -> Result<(), Refusal> {
    let message = format!("{} is newer than this checkout: it has {}", facts.described, names(ahead));
    if facts.policy.ahead == Some(Policy::Refuse) {
        return Err(Refusal::new("journal/ahead", message).hint("pull, and build again"));
    }
    plan.note("ahead", format!("{message}; nothing is run"));
    Ok(())
}

fn entry_of<'a>(status: &Status, facts: &Facts<'a>) -> Option<&'a Entry> {
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

fn name(status: &Status) -> String {
    if status.name.is_empty() { status.version.to_string() } else { format!("{} {}", status.version, status.name) }
}

fn names(statuses: &[&Status]) -> String {
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
