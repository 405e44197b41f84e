//! When a base stands for scripts, and when nothing does: a database is never taken over a gap.

use super::Facts;
use super::scripts::{name, names};
use crate::build::Refusal;
use crate::journal::{Kind, State, Status, Stored};
use crate::project::Base;
use crate::script::Squashed;

/// Refuses a database that lacks scripts whose files are gone.
pub fn refuse_gap(facts: &Facts<'_>) -> Result<(), Refusal> {
    let Some(base) = &facts.checkout.base else { return Ok(()) };
    let lacking: Vec<&Squashed> =
        facts.reconciled.lacking.iter().filter_map(|index| base.scripts.get(*index)).collect();
    let Some(first) = lacking.first() else { return Ok(()) };
    let mut shown: Vec<String> =
        lacking.iter().take(10).map(|script| format!("{} {}", script.version, script.name).trim().to_owned()).collect();
    if lacking.len() > 10 {
        shown.push(format!("and {} more", lacking.len() - 10));
    }
    let message =
        format!("{} lacks scripts that were squashed, and whose files are gone: {}", facts.described, shown.join(", "));
    let mut refusal = Refusal::new("journal/behind-base", message)
        .note(format!("{} stands for the scripts up to {}, in an empty database only", base.folder, base.version));
    let entries = facts.inspection.journal.as_deref().unwrap_or_default();
    for script in &lacking {
        let key = script.version.to_string();
        let is_it = |entry: &&crate::journal::Entry| entry.kind == Kind::Script && entry.key == key;
        if let Some(entry) = entries.iter().find(is_it).filter(|entry| entry.state == Stored::Running) {
            let done = format!("{} of {} statements are done", entry.statements_done, entry.statements);
            refusal = refusal.note(format!("{} {} is half-way: {done}", script.version, script.name));
        }
    }
    // The first one's: a later revision may lack the files of an earlier squash.
    Err(match &first.revision {
        Some(revision) => refusal
            .hint(format!("check out the revision that has them, `git checkout {revision}`, and run `dbbuild` there"))
            .hint("then come back to this one, and run `dbbuild` again"),
        None => refusal
            .hint("check out a revision from before they were deleted, and run `dbbuild` there")
            .hint("then come back to this one, and run `dbbuild` again"),
    })
}

/// Returns the base that an empty database begins with, if it does.
pub fn base<'a>(facts: &Facts<'a>) -> Result<Option<&'a Base>, Refusal> {
    let Some(base) = &facts.checkout.base else { return Ok(None) };
    let entries = facts.inspection.journal.as_deref().unwrap_or_default();
    if entries.iter().any(|entry| entry.kind == Kind::Script) {
        return Ok(None);
    }
    let limit = facts.wish.to.as_ref();
    let is_wanted = |squashed: &&Squashed| limit.is_none_or(|limit| squashed.version <= *limit);
    let has_file = |squashed: &Squashed| {
        let found = facts.checkout.scripts.binary_search_by(|script| script.version.cmp(&squashed.version));
        found.is_ok()
    };
    let has_files = base.scripts.iter().filter(is_wanted).all(has_file);
    if let Some(limit) = limit.filter(|limit| **limit < base.version) {
        if has_files {
            return Ok(None);
        }
        let message = format!("{} stands for the scripts up to {}: {limit} is inside of it", base.folder, base.version);
        return Err(Refusal::new("base/inside", message)
            .hint(format!("build to {} or later, or check out a revision that has the scripts", base.version)));
    }
    let altered: Vec<&Status> = facts.reconciled.in_state(State::Altered).collect();
    if !altered.is_empty() {
        let message = format!("{} stands for another text of {}", base.folder, names(&altered));
        return Err(Refusal::new("base/altered", message)
            .hint("put the old text back, or delete the file, and make the change in a new script: `dbbuild new-version NAME`"));
    }
    if let Some(file) = &facts.damage {
        return Err(damaged(base, file));
    }
    // An empty inspection is of a database that is not there yet, whose engine is this program's.
    let major = facts.inspection.major;
    if major != 0 && major < base.server {
        if has_files {
            return Ok(None);
        }
        let message =
            format!("{} was made with a server of version {}, and this one is {major}", base.folder, base.server);
        return Err(Refusal::new("base/older-server", message)
            .hint(format!("build into a server of version {} or later", base.server)));
    }
    Ok(Some(base))
}

/// Refuses a base of which a file is not the one that was written.
pub fn damaged(base: &Base, file: &str) -> Refusal {
    Refusal::new("base/damaged", format!("{file} is not the file that `dbbuild squash` wrote"))
        .hint(format!("a base is never edited: put it back, `git checkout -- {}`", base.folder))
        .hint("one that was never committed: delete it, put the scripts back, and squash again")
}

/// Returns true for a script that a base would stand for, in a database where none has run.
pub fn is_unbuilt(status: &Status) -> bool {
    status.state == State::Squashed && status.script.is_some() && status.entry.is_none()
}

/// Refuses a database that has another text of a squashed script than the base stands for.
pub fn refuse_other_text(altered: &[&Status], facts: &Facts<'_>) -> Result<(), Refusal> {
    let Some(base) = &facts.checkout.base else { return Ok(()) };
    let Some(gone) = altered.iter().find(|status| status.script.is_none()) else { return Ok(()) };
    let message = format!("{} has another text of {} than {} stands for", facts.described, name(gone), base.folder);
    let revision = base.of(&gone.version).and_then(|squashed| squashed.revision.as_deref());
    let hint = match revision {
        Some(revision) => format!(
            "the squashed text is in revision {revision}, the applied one in the journal: if scripts were only renumbered, \
             `git checkout {revision}`, run `dbbuild` there, and come back"
        ),
        None => "the applied text is in the journal".to_owned(),
    };
    Err(Refusal::new("base/other-text", message)
        .hint(hint)
        .hint("a development database can start over: `dbbuild reset`, then `dbbuild`"))
}
