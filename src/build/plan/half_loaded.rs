//! A database in which a load in several transactions was stopped: it goes on with the very same dump, or not at all.

use super::{Facts, Plan};
use crate::build::Refusal;
use crate::journal::{Entry, Kind, Stored};

/// Returns the entry of a load that is under way.
pub fn entry(entries: &[Entry]) -> Option<&Entry> {
    entries.iter().find(|entry| entry.kind == Kind::Baseline && entry.state == Stored::Running)
}

/// Returns true if the load of the baseline goes on; refuses where it cannot. That of a base goes on by itself, since
/// there are no scripts in the journal yet.
pub fn of_baseline(facts: &Facts<'_>, plan: &mut Plan) -> Result<bool, Refusal> {
    let Some(entry) = facts.inspection.journal.as_deref().and_then(entry) else { return Ok(false) };
    let how_far = format!("{} of {} parts are in", entry.statements_done, entry.statements);
    let base = facts.checkout.base.as_ref().filter(|base| base.folder == entry.key);
    let is_same = match base {
        Some(base) => base.checksum == entry.checksum,
        None => facts.baseline_loads && facts.baseline_checksum.as_ref() == Some(&entry.checksum),
    };
    if !is_same {
        let message = format!("{} is half loaded from another {} than this checkout's", facts.described, entry.key);
        return Err(Refusal::new("load/another", message)
            .note(how_far)
            .hint("check out the revision whose it is (`source_revision` of that entry in the journal), and run `dbbuild`")
            .hint("or start over: `dbbuild reset`, then `dbbuild`"));
    }
    let wish = facts.wish;
    if base.is_none() && (wish.from_scripts || wish.no_seed || wish.to.is_some()) {
        let message = format!("{} is half loaded from {}", facts.described, entry.key);
        return Err(Refusal::new("load/half-way", message)
            .note(how_far)
            .hint("let it come to its end first: `dbbuild`")
            .hint("or start over: `dbbuild reset`"));
    }
    plan.note("half-loaded", format!("{} is half loaded ({how_far}): it goes on", entry.key));
    Ok(base.is_none())
}
