//! The steps of the code objects. Pure.

use super::{Facts, Plan, PlannedFile, Step, changed};
use crate::journal::{Entry, Kind, Stored};

/// Adds the steps of the code objects. They are settled if nothing but code was journaled since a script was.
pub fn steps(facts: &Facts<'_>, entries: &[Entry], plan: &mut Plan) {
    let due: Vec<PlannedFile> = facts.code.iter().filter_map(|source| changed(source, entries, Kind::Code)).collect();
    let newest = |kind: Kind| entries.iter().filter(|entry| entry.kind == kind).map(|entry| entry.sequence).max();
    // A running entry says that objects are away, and what is to be said of them again.
    let is_away = entries.iter().any(|entry| entry.kind == Kind::Code && entry.state == Stored::Running);
    let is_settled = newest(Kind::Script) <= newest(Kind::Code) && !has_script(plan) && !is_away;
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

/// Returns the entries of code files that are not in the checkout, those aside whose text is there under another name.
fn gone<'a>(facts: &'a Facts<'_>, entries: &'a [Entry]) -> impl Iterator<Item = &'a Entry> {
    let is_gone = |entry: &&Entry| {
        entry.kind == Kind::Code
            && entry.key != facts.code_folder
            && !matches!(entry.state, Stored::Reverted | Stored::Running)
            && facts.code.iter().all(|source| source.file != entry.key && source.checksum != entry.checksum)
    };
    entries.iter().filter(is_gone)
}
