//! The steps of the code objects. Pure.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Facts, Plan, PlannedFile, Step, planned_file};
use crate::journal::{Entry, Kind, Stored};
use crate::script::{Checksum, Source};

/// Returns the files that have to run whatever is in the database.
pub fn due(code: &[Source], entries: &[Entry]) -> BTreeSet<String> {
    let entries = newest(entries);
    let is_due = |source: &&Source| planned_file(source, entries.get(source.file.as_str()).copied()).is_some();
    code.iter().filter(is_due).map(|source| source.file.clone()).collect()
}

/// Returns true if nothing but code was journaled since a script was, and no object is away.
pub fn is_settled(entries: &[Entry]) -> bool {
    let newest = |kind: Kind| entries.iter().filter(|entry| entry.kind == kind).map(|entry| entry.sequence).max();
    // A running entry says that objects are away, and what is to be said of them again.
    let is_away = entries.iter().any(|entry| entry.kind == Kind::Code && entry.state == Stored::Running);
    newest(Kind::Script) <= newest(Kind::Code) && !is_away
}

/// Returns the entries of code by their keys.
fn newest(entries: &[Entry]) -> HashMap<&str, &Entry> {
    let of_code = entries.iter().filter(|entry| entry.kind == Kind::Code);
    of_code.map(|entry| (entry.key.as_str(), entry)).collect()
}

/// Adds the steps of the code objects.
pub fn steps(facts: &Facts<'_>, entries: &[Entry], plan: &mut Plan) {
    let known = newest(entries);
    let due = facts.code.iter().filter_map(|source| planned_file(source, known.get(source.file.as_str()).copied()));
    let due: Vec<PlannedFile> = due.collect();
    let is_settled = is_settled(entries) && !has_script(plan);
    let gone: Vec<&Entry> = gone(facts, entries).collect();
    if gone.iter().any(|_| facts.wish.drop_code) {
        plan.steps.extend(gone.iter().map(|entry| {
            Step::Drop(PlannedFile {
                file: entry.key.clone(),
                checksum: entry.checksum.clone(),
                attempt: entry.attempt,
                why: "gone".to_owned(),
            })
        }));
    } else if !gone.is_empty() {
        let names: Vec<&str> = gone.iter().map(|entry| entry.key.as_str()).collect();
        // A file that is about to run may make the same objects: the text of one that was renamed, and edited too.
        let what = if due.is_empty() { "what they made" } else { "what they made, if no other file makes it," };
        let names = names.join(", ");
        plan.note("code-gone", format!("gone, and {what} is still there: {names}; `dbbuild --drop-code` drops it"));
    }
    if due.len() < facts.code.len() && (!is_settled || !due.is_empty()) {
        plan.steps.push(Step::Keep { folder: facts.code_folder.to_owned() });
    }
    plan.steps.extend(due.into_iter().map(Step::Code));
}

fn has_script(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| matches!(step, Step::Apply { .. }))
}

/// Returns the entries of code files that are not in the checkout, those aside whose text is there under another name,
/// and those that were emptied first, which took what they made away.
fn gone<'a>(facts: &'a Facts<'_>, entries: &'a [Entry]) -> impl Iterator<Item = &'a Entry> {
    let files: HashSet<&str> = facts.code.iter().map(|source| source.file.as_str()).collect();
    let texts: HashSet<&Checksum> = facts.code.iter().map(|source| &source.checksum).collect();
    let empty = Checksum::of_text("");
    entries.iter().filter(move |entry| {
        entry.kind == Kind::Code
            && entry.checksum != empty
            && entry.key != facts.code_folder
            && !matches!(entry.state, Stored::Reverted | Stored::Running)
            && !files.contains(entry.key.as_str())
            && !texts.contains(&entry.checksum)
    })
}
