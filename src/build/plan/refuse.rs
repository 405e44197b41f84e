//! The states in which a build will not go on: what is in the way, and the command or edit that resolves it.

use super::scripts::{entry_of, name, names};
use super::{Facts, changed};
use crate::build::{Refusal, Seed, SeedForm};
use crate::engine::SeedMode;
use crate::journal::{Entry, Kind, Mark, State, Status, Stored};
use crate::project::Target;

/// Refuses a database that is not this project's, or not the one that the settings mean.
pub fn refuse_foreign(facts: &Facts<'_>) -> Result<(), Refusal> {
    let inspection = facts.inspection;
    if let Some(mark) = &inspection.mark {
        refuse_other_mark(mark, facts.target, facts.described)?;
    }
    let has_own = inspection.journal.as_ref().is_some_and(|entries| !entries.is_empty());
    if !has_own && !inspection.other_projects.is_empty() {
        let others = inspection.other_projects.join(", ");
        return Err(Refusal::new(
            "journal/other-project",
            format!("the journal of {} is another project's: {others}", facts.described),
        )
        .note(format!("this project is `{}`", facts.project))
        .hint("name this project's database")
        .hint(format!(
            "if it is the same project under a new name, set `name = \"{}\"` under `[project]`",
            inspection.other_projects[0]
        )));
    }
    if inspection.journal.is_none() && !inspection.objects.is_empty() {
        let shown = inspection.objects.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        return Err(Refusal::new(
            "journal/none",
            format!("{} has objects and no journal: nobody knows which scripts it has", facts.described),
        )
        .note(format!("it has {shown}{}", if inspection.objects.len() > 5 { ", …" } else { "" }))
        .hint("if it is what the scripts up to some version make, take it over: `dbbuild adopt --to VERSION`")
        .hint("build an empty database instead: `dbbuild --url …`")
        .hint("to throw its content away and start over: `dbbuild reset`"));
    }
    Ok(())
}

/// Refuses a target whose settings and whose mark disagree.
pub fn refuse_other_mark(mark: &Mark, target: &Target, described: &str) -> Result<(), Refusal> {
    let (Some(name), said) = (&target.name, &target.environment) else { return Ok(()) };
    let word = |protected: bool| if protected { "protected" } else { "not protected" };
    let differs = said.as_ref().is_some_and(|environment| *environment != mark.environment);
    let protection_differs = target.protected.is_some_and(|protected| protected != mark.protected);
    if !differs && !protection_differs {
        return Ok(());
    }
    let said = said.clone().unwrap_or_else(|| mark.environment.clone());
    let message = format!(
        "{described} is marked {} ({}), and target `{name}` says {said} ({})",
        mark.environment,
        word(mark.protected),
        word(target.protected.unwrap_or(said == "production")),
    );
    Err(Refusal::new("mark/disagrees", message)
        .hint("name the right database, or mend the target in dbbuild.toml")
        .hint(format!("if the database changed its role: `dbbuild mark {said} --target {name}`")))
}

pub(super) fn refuse_altered(altered: &[&Status], protected: bool, facts: &Facts<'_>) -> Refusal {
    let mut refusal = Refusal::new(
        "journal/altered",
        format!("changed since they were applied to {}: {}", facts.described, names(altered)),
    );
    for status in altered.iter().take(10) {
        if let (Some(entry), Some(script)) =
            (entry_of(status, facts), status.script.and_then(|index| facts.checkout.scripts.get(index)))
        {
            let (was, is) = (entry.checksum.short(), script.checksum.short());
            refusal = refusal.note(format!("{}: the journal has {was}, the file is {is}", script.file));
        }
    }
    refusal =
        refusal.hint("put the applied text back, and make the change in a new script: `dbbuild new-version NAME`");
    let refusal = refusal.hint("if the new text makes the same, take it as applied: `dbbuild accept VERSION`");
    if protected {
        refusal
    } else {
        refusal.hint("a development database can start over: `dbbuild reset`, then `dbbuild`")
    }
}

/// Refuses to go on beside a script that is half-way and whose file is gone: under another version it would run
/// from its beginning, and without it nobody can finish it.
pub(super) fn refuse_half_way(gone: &[&Status], to_run: &[&Status], facts: &Facts<'_>) -> Result<(), Refusal> {
    for left in gone {
        let Some(entry) = entry_of(left, facts).filter(|entry| entry.state == Stored::Running) else { continue };
        let is_it = |status: &&&Status| {
            let script = status.script.and_then(|index| facts.checkout.scripts.get(index));
            script.is_some_and(|script| script.checksum == entry.checksum)
        };
        let done = format!("{} of {} statements are done", entry.statements_done, entry.statements);
        if let Some(moved) = to_run.iter().find(is_it) {
            let (old, new) = (name(left), name(moved));
            return Err(Refusal::new("journal/moved-half-way", format!("{new} is half-way, as {old}"))
                .note(done)
                .hint(format!(
                    "give it the version {} back, let `dbbuild` finish it, and move it then",
                    left.version
                )));
        }
        if left.state == State::Missing {
            let message = format!("{} is half-way, and its file is gone", name(left));
            return Err(Refusal::new("journal/half-way-gone", message).note(done).hint(
                "put the file back (column `text` of the journal has it) and let `dbbuild` finish it; \
                 what it should not do any more is for a new script to undo",
            ));
        }
    }
    Ok(())
}

pub(super) fn refuse_late(status: &Status, facts: &Facts<'_>) -> Refusal {
    let newest = facts.reconciled.version.as_ref().map(ToString::to_string).unwrap_or_default();
    Refusal::new(
        "journal/late",
        format!("{} is older than {newest}, which is applied, and `late = \"refuse\"`", name(status)),
    )
    .hint(format!("if it may run now: `dbbuild --allow-late {}`", status.version))
    .hint("give it the next version: `dbbuild renumber`")
}

/// Refuses to make a protected table exactly a file, unless the target's settings name the file.
pub(super) fn refuse_sync(facts: &Facts<'_>, protected: bool, entries: &[Entry]) -> Result<(), Refusal> {
    let is_sync = |seed: &&Seed| matches!(seed.form, SeedForm::Rows { mode: SeedMode::Sync, .. });
    for seed in facts.seeds.iter().filter(is_sync) {
        let file = &seed.source.file;
        let is_named = facts.target.sync_seeds.iter().any(|name| name == file || file.ends_with(&format!("/{name}")));
        if protected && !is_named && changed(&seed.source, entries, Kind::Seed).is_some() {
            let message = format!("{file} has mode `sync`, which deletes rows, and {} is protected", facts.described);
            return Err(Refusal::new("seed/sync-protected", message)
                .hint(format!("if it may: `sync-seeds = [\"{file}\"]` under the target in dbbuild.toml"))
                .hint("mode `tracked` deletes only rows that the file itself brought"));
        }
    }
    Ok(())
}
