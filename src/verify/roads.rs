//! All roads end in one database: scripts from empty, the committed baseline, the scripts that a base
//! stands for, earlier revisions that are upgraded.

use std::collections::BTreeSet;
use std::time::Instant;

use super::built::{Apart, Built, volatile};
use super::report::Volatile;
use super::revision::Revision;
use super::stage::Stage;
use super::{Change, Finding, Level, Proof, Report, Work, squashed, twice};
use crate::build::{self, Worth, baseline_worth};
use crate::engine::EngineError;
use crate::error::Error;
use crate::event::Observer;

/// Goes all roads. `walked` is what a build file by file has made.
pub fn roads(work: &Work<'_>, walked: Built, report: &mut Report, observer: &mut dyn Observer) -> Result<(), Error> {
    let began = Instant::now();
    let (fresh, moving) =
        if work.wish.quick { (walked, BTreeSet::new()) } else { two_builds(work, &walked, report, observer)? };
    let folder = work.site.project.baseline_folder(work.checkout.dialect);
    match baseline_worth(work.site)? {
        Worth::Belongs { .. } => {
            let mut findings = baseline(work, &fresh, &moving, &folder, observer)?;
            if work.wish.quick && !findings.is_empty() {
                // What is another value in each build is told from what differs only by building twice.
                let (fresh, moving) = two_builds(work, &fresh, report, observer)?;
                findings = baseline(work, &fresh, &moving, &folder, observer)?;
            }
            report.of(Proof::Roads).fails(findings);
        }
        Worth::Stale if !work.site.project.files.has(&format!("{folder}/manifest.toml")) => {
            report.of(Proof::Roads).skip(&folder, "no baseline is committed");
        }
        Worth::Stale => {
            let message = format!("{folder} was not made from these files, so nobody loads it");
            report.of(Proof::Roads).fails(vec![plain(Level::Warning, "roads/stale-baseline", &folder, message)]);
        }
        Worth::Untrusted => {
            let message = format!("the files of {folder} are not those of its manifest");
            report.of(Proof::Roads).fails(vec![plain(Level::Error, "roads/baseline", &folder, message)]);
        }
    }
    if !work.wish.quick {
        squashed::squashed(work, &fresh, &moving, report, observer)?;
    }
    for revision in &work.wish.releases {
        let findings = release(work, &fresh, &moving, revision, observer)?;
        report.of(Proof::Roads).fails(findings);
    }
    report.of(Proof::Roads).duration += began.elapsed();
    Ok(())
}

/// Builds once more, as a build does. Values that are others then are named, and count no more.
fn two_builds(
    work: &Work<'_>,
    walked: &Built,
    report: &mut Report,
    observer: &mut dyn Observer,
) -> Result<(Built, BTreeSet<Volatile>), Error> {
    let mut stage = Stage::built(work, work.checkout, observer)?;
    let fresh = Built::of(&mut stage)?;
    let apart = walked.compare(&fresh, &mut *stage.session, &BTreeSet::new(), work.wish.strict)?;
    let moving = volatile(&apart.changes, walked);
    report.volatile.extend(moving.iter().cloned());
    let apart = walked.compare(&fresh, &mut *stage.session, &moving, work.wish.strict)?;
    report.of(Proof::Roads).fails(told("roads/two-builds", "db", "two builds of these scripts", apart));
    Ok((fresh, moving))
}

/// What builds from the scripts, whatever baseline there is.
pub fn from_scripts() -> build::Wish {
    build::Wish { from_scripts: true, no_baseline: true, ..build::Wish::default() }
}

fn plain(level: Level, code: &'static str, file: &str, message: String) -> Finding {
    Finding {
        level,
        code,
        file: file.to_owned(),
        message,
        place: None,
        error: None,
        changes: Vec::new(),
        hint: Some("regenerate it: `dbbuild baseline`, or build a development database: `dbbuild`".to_owned()),
    }
}

fn told(code: &'static str, file: &str, what: &str, apart: Apart) -> Vec<Finding> {
    let finding = |level, message: String, changes: Vec<Change>| Finding {
        level,
        code,
        file: file.to_owned(),
        message,
        place: None,
        error: None,
        changes,
        hint: None,
    };
    let mut findings = Vec::new();
    if !apart.changes.is_empty() {
        let message = format!("{what} end in two databases: {}", twice::summary(&apart.changes));
        findings.push(finding(Level::Error, message, apart.changes));
    }
    if !apart.beside.is_empty() {
        let message = format!("{what} differ in the order of columns or in generated names only");
        findings.push(finding(Level::Note, message, apart.beside));
    }
    findings
}

/// Loads the committed baseline. Its sequences stand where those of a fresh build stand.
fn baseline(
    work: &Work<'_>,
    fresh: &Built,
    moving: &BTreeSet<Volatile>,
    folder: &str,
    observer: &mut dyn Observer,
) -> Result<Vec<Finding>, Error> {
    let mut stage = Stage::bare(work, &[], observer)?;
    let wish = build::Wish { no_baseline: true, ..build::Wish::default() };
    match stage.build(work.site, work.checkout, &wish) {
        Ok(()) => {}
        Err(Error::Engine(error)) if !matches!(error, EngineError::Interrupted { .. }) => {
            let what = "the committed baseline cannot be loaded";
            return Ok(vec![Finding::of_error(Level::Error, "roads/baseline", folder, what, error)?]);
        }
        Err(other) => return Err(other),
    }
    stage.session.settle()?;
    let loaded = Built::of(&mut stage)?;
    let mut apart = fresh.compare(&loaded, &mut *stage.session, moving, work.wish.strict)?;
    // A second run of a seed may have moved them on.
    if !work.wish.quick {
        apart.changes.extend(fresh.counters_apart(&loaded));
    }
    Ok(told("roads/baseline", folder, "the scripts and the committed baseline", apart))
}

/// Builds an earlier revision, its baseline if it has one, and upgrades that with this checkout.
fn release(
    work: &Work<'_>,
    fresh: &Built,
    moving: &BTreeSet<Volatile>,
    revision: &str,
    observer: &mut dyn Observer,
) -> Result<Vec<Finding>, Error> {
    let earlier = Revision::open(work.site, revision)?;
    let mut stage = Stage::bare(work, &[&earlier.project], observer)?;
    let wish = build::Wish { no_baseline: true, ..build::Wish::default() };
    stage.build(&earlier.site(work.site), &earlier.checkout, &wish)?;
    let whose = (format!("a database of {revision}"), "a fresh build");
    upgraded(work, stage, fresh, moving, ("roads/release", revision), (&whose.0, whose.1))
}

/// Upgrades a database with this checkout, and compares it with a fresh build. `whose` says what the two are.
pub fn upgraded(
    work: &Work<'_>,
    mut stage: Stage,
    fresh: &Built,
    moving: &BTreeSet<Volatile>,
    (code, file): (&'static str, &str),
    whose: (&str, &str),
) -> Result<Vec<Finding>, Error> {
    let what = format!("{} cannot be upgraded", whose.0);
    let wish = build::Wish { no_baseline: true, ..build::Wish::default() };
    match stage.build(work.site, work.checkout, &wish) {
        Ok(()) => {}
        Err(error @ (Error::Refusal(_) | Error::Midway(_))) => {
            return Ok(vec![Finding { hint: None, ..plain(Level::Error, code, file, format!("{what}: {error}")) }]);
        }
        Err(Error::Engine(error)) => return Ok(vec![Finding::of_error(Level::Error, code, file, &what, error)?]),
        Err(other) => return Err(other),
    }
    let upgraded = Built::of(&mut stage)?;
    let apart = fresh.compare(&upgraded, &mut *stage.session, moving, work.wish.strict)?;
    Ok(told(code, file, &format!("{} and {}, upgraded,", whose.1, whose.0), apart))
}
