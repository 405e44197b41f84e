//! The script that `plan --sql` prints, run by the database's own shell: the same database and journal as a build's;
//! and run again it changes nothing.

use std::collections::BTreeSet;
use std::time::Instant;

use super::built::Built;
use super::change::{Change, State};
use super::roads::from_scripts;
use super::stage::Stage;
use super::{Finding, Level, Proof, Report, Volatile, Work, twice};
use crate::build::{self, SeedForm};
use crate::error::Error;
use crate::event::Observer;
use crate::journal::Entry;

/// Runs the script, and runs it again.
pub fn offline(work: &Work<'_>, report: &mut Report, observer: &mut dyn Observer) -> Result<(), Error> {
    let began = Instant::now();
    let moving: BTreeSet<Volatile> = report.volatile.iter().cloned().collect();
    let outcome = report.of(Proof::Offline);
    let what = "plan --sql";
    // CSV files are loaded by the tool only.
    let no_seed = work.checkout.seeds.iter().any(|seed| matches!(seed.form, SeedForm::Rows { .. }));
    let wish = build::Wish { no_seed, ..from_scripts() };
    if no_seed {
        outcome.skip("seeds", "CSV files are loaded by the tool only");
    }
    // One database after the other: roles are not inside one.
    let (fresh, own) = {
        let mut built = Stage::bare(work, &[], observer)?;
        built.build(work.site, work.checkout, &wish)?;
        (Built::of(&mut built)?, entries(&mut built, work)?)
    };
    let mut stage = Stage::bare(work, &[], observer)?;
    let script = match stage.offline_script(work.site, &wish) {
        Ok(script) => script,
        Err(Error::Refusal(refusal)) => {
            outcome.skip(what, refusal.to_string());
            return Ok(());
        }
        Err(other) => return Err(other),
    };
    let Some((shell, ran)) = stage.shell(&script)? else {
        outcome.skip(what, "the database's own shell is not installed");
        return Ok(());
    };
    let finding = |code, message: String, changes: Vec<Change>| Finding {
        level: Level::Error,
        code,
        file: what.to_owned(),
        message,
        place: None,
        error: None,
        changes,
        hint: None,
    };
    if !ran.ok {
        let said = ran.said.lines().last().unwrap_or_default();
        outcome.fails(vec![finding("offline/fails", format!("{shell} stops: {said}"), Vec::new())]);
        return Ok(());
    }
    let found = Built::of(&mut stage)?;
    let journal = entries(&mut stage, work)?;
    let mut findings = Vec::new();
    let apart = fresh.compare(&found, &mut *stage.session, &moving, work.wish.strict)?;
    if !apart.changes.is_empty() {
        let message = format!("a build and {shell} make two databases: {}", twice::summary(&apart.changes));
        findings.push(finding("offline/differs", message, apart.changes));
    }
    if journal != own {
        let missing = own.iter().filter(|entry| !journal.contains(entry)).map(|entry| entry.1.clone());
        let message =
            format!("the journal that {shell} writes is another one: {}", missing.collect::<Vec<_>>().join(", "));
        findings.push(finding("offline/journal", message, Vec::new()));
    }
    let before = State::whole(&mut *stage.session.trial(&[])?)?;
    stage.shell(&script)?;
    let after = State::whole(&mut *stage.session.trial(&[])?)?;
    let mut changes = before.objects(&after, true);
    changes.extend(before.tables(&after).iter().map(|name| Change::Rows {
        table: name.to_string(),
        before: before.digests.get(name).map_or(0, |digest| digest.rows),
        after: after.digests.get(name).map_or(0, |digest| digest.rows),
    }));
    if !changes.is_empty() || entries(&mut stage, work)? != journal {
        let message = format!("run by {shell} a second time the script changes {}", twice::summary(&changes));
        findings.push(finding("offline/again", message, changes));
    }
    let outcome = report.of(Proof::Offline);
    outcome.fails(findings);
    outcome.duration += began.elapsed();
    Ok(())
}

/// Kind, key, attempt, checksum, state of what is journaled.
type Line = (String, String, i32, String, String);

fn entries(stage: &mut Stage, work: &Work<'_>) -> Result<BTreeSet<Line>, Error> {
    let inspection = stage.session.inspect(&work.site.project.name)?;
    let line = |entry: &Entry| {
        let state = entry.state.as_str().to_owned();
        (entry.kind.as_str().to_owned(), entry.key.clone(), entry.attempt, entry.checksum.to_string(), state)
    };
    Ok(inspection.journal.unwrap_or_default().iter().map(line).collect())
}
