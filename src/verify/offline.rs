//! The script that `plan --sql` prints, run by the database's own shell: the same database and journal as a build's;
//! and run again it changes nothing.

use super::account::Account;
use super::built::Built;
use super::change;
use super::roads::{Fresh, Journal, from_scripts};
use super::stage::Stage;
use super::{Finding, Halt, Level, Proof, Work, twice};
use crate::build::{self, SeedForm};
use crate::engine::offline::Ran;
use crate::error::Error;

/// What the findings are about.
const WHAT: &str = "plan --sql";

/// Runs the script, and runs it again.
pub fn offline(work: &Work<'_>, fresh: &Fresh, account: &mut Account<'_>) -> Result<(), Halt> {
    account.enter("offline");
    // CSV files are loaded by the tool only.
    let no_seed = work.checkout.seeds.iter().any(|seed| matches!(seed.form, SeedForm::Rows { .. }));
    let wish = build::Wish { no_seed, ..from_scripts() };
    let without_seeds;
    let (built, journal) = match no_seed {
        false => (&fresh.built, &fresh.journal),
        true => {
            account.of(Proof::Offline).skip("seeds", "CSV files are loaded by the tool only");
            // One database after the other: roles are not inside one.
            let mut stage = Stage::bare(work, &[], account.observer)?;
            stage.build(work.site, work.checkout, &wish, account)?;
            without_seeds = (Built::of(&mut stage)?, stage.journal(work.site)?);
            (&without_seeds.0, &without_seeds.1)
        }
    };
    let mut stage = Stage::bare(work, &[], account.observer)?;
    let script = match stage.offline_script(work.site, &wish) {
        Ok(script) => script,
        Err(Error::Refusal(refusal)) => {
            account.of(Proof::Offline).skip(WHAT, refusal.to_string());
            return Ok(());
        }
        Err(other) => return Err(other.into()),
    };
    let Some((shell, ran)) = stage.shell(work.site, &script)? else {
        account.of(Proof::Offline).skip(WHAT, "the database's own shell is not installed");
        return Ok(());
    };
    let findings = match ran {
        Ran { ok: false, said } => {
            // Behind the error stands where it is, with an arrow.
            let is_error = |line: &&str| line.to_ascii_lowercase().contains("error");
            let said = said.lines().find(is_error).or_else(|| said.lines().last()).unwrap_or_default();
            vec![Finding::new(Level::Error, "offline/fails", WHAT, format!("{shell} stops: {said}"))]
        }
        Ran { ok: true, .. } => judged(work, &mut stage, shell, &script, (built, journal), fresh)?,
    };
    account.note(Proof::Offline, findings, &mut stage, &format!("what {shell} made"))
}

/// Compares what the shell has made with what a build has made, and lets it run the script again.
fn judged(
    work: &Work<'_>,
    stage: &mut Stage,
    shell: &str,
    script: &str,
    (built, journal): (&Built, &Journal),
    fresh: &Fresh,
) -> Result<Vec<Finding>, Error> {
    let finding = |code, message: String| Finding::new(Level::Error, code, WHAT, message);
    let mut findings = Vec::new();
    let found = Built::of(stage)?;
    let apart = built.compare(&found, &mut *stage.session, &fresh.moving, work.wish.strict)?;
    if !apart.changes.is_empty() {
        let message = format!("a build and {shell} make two databases: {}", twice::summary(&apart.changes));
        findings.push(finding("offline/differs", message).with(apart.changes));
    }
    let written = stage.journal(work.site)?;
    if written != *journal {
        let apart = journal.symmetric_difference(&written).map(|entry| entry.1.clone());
        let message =
            format!("the journal that {shell} writes is another one: {}", apart.collect::<Vec<_>>().join(", "));
        findings.push(finding("offline/journal", message));
    }
    let before = stage.state()?;
    stage.shell(work.site, script)?;
    let after = stage.state()?;
    let mut changes = before.objects(&after, true);
    changes.extend(change::counted(&before, &after));
    if !changes.is_empty() || stage.journal(work.site)? != written {
        let message = format!("run by {shell} a second time the script changes {}", twice::summary(&changes));
        findings.push(finding("offline/again", message).with(changes));
    }
    Ok(findings)
}
