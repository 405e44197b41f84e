//! All roads end in one database: scripts from empty, the committed baseline, the scripts that a base
//! stands for, earlier revisions that are upgraded.

use std::collections::BTreeSet;

use super::account::Account;
use super::built::{Apart, Built, Moving};
use super::report::answered;
use super::revision::Revision;
use super::stage::Stage;
use super::{Finding, Halt, Level, Proof, Work, since, squashed, twice};
use crate::build::{self, Worth, baseline_worth};
use crate::engine::{Builder, EngineError};
use crate::error::Error;

/// What the scripts, code and seeds make from empty, with what every road is compared.
pub struct Fresh {
    /// What is there.
    pub built: Built,
    /// What is another one in each build.
    pub moving: Moving,
    /// What is journaled.
    pub journal: Journal,
}

/// Kind, key, attempt, checksum, state of each entry.
pub type Journal = BTreeSet<(String, String, i32, String, String)>;

/// Goes all roads. `walked` is what a build file by file has made.
pub fn roads(work: &Work<'_>, walked: Built, account: &mut Account<'_>) -> Result<Fresh, Halt> {
    account.enter("roads");
    let mut fresh = match work.wish.quick {
        true => Fresh { built: walked, moving: Moving::default(), journal: Journal::new() },
        false => two_builds(work, &walked, account)?,
    };
    let folder = work.site.project.baseline_folder(work.checkout.dialect);
    let regenerate = "regenerate it: `dbbuild baseline`, or build a development database: `dbbuild`";
    let stale = |level, code, message| vec![Finding::new(level, code, &folder, message).hint(regenerate)];
    match baseline_worth(work.site)? {
        Worth::Belongs { .. } => {
            let (mut findings, mut stage) = baseline(work, &fresh, &folder, account)?;
            if work.wish.quick && !findings.is_empty() {
                // What is another value in each build is told from what differs only by building twice.
                fresh = two_builds(work, &fresh.built, account)?;
                (findings, stage) = baseline(work, &fresh, &folder, account)?;
            }
            account.note(Proof::Roads, findings, &mut stage, &format!("{folder}, loaded"))?;
        }
        Worth::Stale if !work.site.project.files.has(&format!("{folder}/manifest.toml")) => {
            account.of(Proof::Roads).skip(&folder, "no baseline is committed");
        }
        Worth::Stale => {
            let message = format!("{folder} was not made from these files, so nobody loads it");
            account.of(Proof::Roads).fails(stale(Level::Warning, "roads/stale-baseline", message));
        }
        Worth::Untrusted => {
            let message = format!("the files of {folder} are not those of its manifest");
            account.of(Proof::Roads).fails(stale(Level::Error, "roads/baseline", message));
        }
    }
    if !work.wish.quick {
        squashed::squashed(work, &fresh, account)?;
    }
    for revision in &work.wish.releases {
        release(work, &fresh, revision, account)?;
    }
    Ok(fresh)
}

/// Builds once more, as a build does. Values that are others then are named, and count no more.
fn two_builds(work: &Work<'_>, walked: &Built, account: &mut Account<'_>) -> Result<Fresh, Halt> {
    let mut stage = Stage::built(work, work.checkout, account)?;
    let built = Built::of(&mut stage)?;
    let (moving, apart) = walked.moving(&built, &mut *stage.session, work.wish.strict)?;
    account.report.volatile.extend(moving.columns.iter().cloned());
    let journal = stage.journal(work.site)?;
    let told = |file, apart| told("roads/two-builds", file, "two builds of these scripts", apart);
    if apart.changes.is_empty() || work.wish.keep {
        account.note(Proof::Roads, told("db", apart), &mut stage, "a build of these scripts")?;
    } else {
        // One database after the other: roles are not inside one.
        drop(stage);
        let file = since::since(work, &apart.changes, &moving)?;
        account.of(Proof::Roads).fails(told(file.unwrap_or("db"), apart));
    }
    Ok(Fresh { built, moving, journal })
}

/// What builds from the scripts, whatever baseline there is.
pub fn from_scripts() -> build::Wish {
    build::Wish { from_scripts: true, no_baseline: true, ..build::Wish::default() }
}

fn told(code: &'static str, file: &str, what: &str, apart: Apart) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !apart.changes.is_empty() {
        let message = format!("{what} end in two databases: {}", twice::summary(&apart.changes));
        findings.push(Finding::new(Level::Error, code, file, message).with(apart.changes));
    }
    if !apart.beside.is_empty() {
        let message = format!("{what} differ in the order of columns or in generated names only");
        findings.push(Finding::new(Level::Note, code, file, message).with(apart.beside));
    }
    findings
}

/// Loads the committed baseline. Its sequences stand where those of a fresh build stand.
fn baseline(
    work: &Work<'_>,
    fresh: &Fresh,
    folder: &str,
    account: &mut Account<'_>,
) -> Result<(Vec<Finding>, Stage), Halt> {
    let mut stage = Stage::bare(work, &[], account.observer)?;
    // A baseline is made by a role that no text names, so what it is held to must be too. Both stay until the end:
    // they share their server's roles.
    let mut by_nobody = None;
    if stage.is_by_a_named_role() {
        let mut whole = Stage::built_by(work, work.checkout, Builder::Nobody, account.observer)?;
        let built = Built::of(&mut whole)?;
        by_nobody = Some((built, whole));
        stage = Stage::bare_by(work, &[], Builder::Nobody, account.observer)?;
    }
    let expected = by_nobody.as_ref().map_or(&fresh.built, |(built, _)| built);
    let wish = build::Wish { no_baseline: true, ..build::Wish::default() };
    if let Err(error) = built(stage.build(work.site, work.checkout, &wish, account))? {
        let what = "the committed baseline cannot be loaded";
        return Ok((vec![Finding::of_error(Level::Error, "roads/baseline", folder, what, error)?], stage));
    }
    stage.session.settle()?;
    let loaded = Built::of(&mut stage)?;
    let mut apart = expected.compare(&loaded, &mut *stage.session, &fresh.moving, work.wish.strict)?;
    // A second run of a seed may have moved them on.
    if !work.wish.quick {
        apart.changes.extend(expected.counters_apart(&loaded));
    }
    Ok((told("roads/baseline", folder, "the scripts and the committed baseline", apart), stage))
}

/// Parts what a database says of the texts from what went wrong otherwise.
pub fn built(result: Result<(), Error>) -> Result<Result<(), EngineError>, Error> {
    match result {
        Err(Error::Engine(error)) => Ok(answered(Err(error))?),
        other => other.map(Ok),
    }
}

/// Builds an earlier revision, its baseline if it has one, and upgrades that with this checkout.
fn release(work: &Work<'_>, fresh: &Fresh, revision: &str, account: &mut Account<'_>) -> Result<(), Halt> {
    let earlier = Revision::open(work.site, revision)?;
    let mut stage = Stage::bare(work, &[&earlier.project], account.observer)?;
    let wish = build::Wish { no_baseline: true, ..build::Wish::default() };
    let whose = (format!("a database of {revision}"), "a fresh build");
    if let Err(error) = built(stage.build(&earlier.site(work.site), &earlier.checkout, &wish, account))? {
        let what = format!("{revision} cannot be built");
        let finding = Finding::of_error(Level::Error, "roads/release", revision, &what, error)?;
        return account.note(Proof::Roads, vec![finding], &mut stage, &format!("what could be built of {revision}"));
    }
    upgraded(work, stage, fresh, ("roads/release", revision), (&whose.0, whose.1), account)
}

/// Upgrades a database with this checkout, and compares it with a fresh build. `whose` says what the two are.
pub fn upgraded(
    work: &Work<'_>,
    mut stage: Stage,
    fresh: &Fresh,
    (code, file): (&'static str, &str),
    whose: (&str, &str),
    account: &mut Account<'_>,
) -> Result<(), Halt> {
    let what = format!("{} cannot be upgraded", whose.0);
    let wish = build::Wish { no_baseline: true, ..build::Wish::default() };
    let findings = match stage.build(work.site, work.checkout, &wish, account) {
        Ok(()) => {
            let upgraded = Built::of(&mut stage)?;
            let apart = fresh.built.compare(&upgraded, &mut *stage.session, &fresh.moving, work.wish.strict)?;
            told(code, file, &format!("{} and {}, upgraded,", whose.1, whose.0), apart)
        }
        Err(error @ (Error::Refusal(_) | Error::Midway(_))) => {
            vec![Finding::new(Level::Error, code, file, format!("{what}: {error}"))]
        }
        Err(Error::Engine(error)) => vec![Finding::of_error(Level::Error, code, file, &what, error)?],
        Err(other) => return Err(other.into()),
    };
    account.note(Proof::Roads, findings, &mut stage, &format!("{}, upgraded", whose.0))
}
