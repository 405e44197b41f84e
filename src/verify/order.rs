//! Either order: what this branch adds and what another one adds, in both orders. A late script that commutes with
//! everything it comes after is safe to merge.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::built::Built;
use super::revision::Revision;
use super::roads::from_scripts;
use super::stage::Stage;
use super::{Finding, Level, Proof, Report, Work, twice};
use crate::build::{Checkout, Item, Site, history};
use crate::engine::EngineError;
use crate::error::Error;
use crate::event::Observer;
use crate::journal::Kind;
use crate::project::Project;
use crate::script::Script;

/// The scripts of one side.
struct Side<'a> {
    name: &'a str,
    items: Vec<Item>,
}

/// Runs what only this checkout has and what only the other revision has, in both orders.
pub fn order(work: &Work<'_>, against: &str, report: &mut Report, observer: &mut dyn Observer) -> Result<(), Error> {
    let began = Instant::now();
    let other = Revision::open(work.site, against)?;
    let known = |checkout: &Checkout| -> BTreeMap<String, Script> {
        checkout.scripts.iter().map(|script| (script.version.to_string(), script.clone())).collect()
    };
    let (ours, theirs) = (known(work.checkout), known(&other.checkout));
    let is_common = |script: &Script, others: &BTreeMap<String, Script>| {
        others.get(&script.version.to_string()).is_some_and(|other| other.checksum == script.checksum)
    };
    let common: Vec<Script> =
        work.checkout.scripts.iter().filter(|script| is_common(script, &theirs)).cloned().collect();
    let common = Checkout {
        scripts: common,
        code: Vec::new(),
        seeds: Vec::new(),
        test_data: Vec::new(),
        ..work.checkout.clone()
    };
    let only = |site: &Site<'_>, checkout: &Checkout, others: &BTreeMap<String, Script>| -> Result<Vec<Item>, Error> {
        let scripts = checkout.scripts.iter().filter(|script| !is_common(script, others)).cloned().collect();
        let alone =
            Checkout { scripts, code: Vec::new(), seeds: Vec::new(), test_data: Vec::new(), ..checkout.clone() };
        history(site, &alone, None)
    };
    let mut mine = Side { name: "this branch", items: only(work.site, work.checkout, &theirs)? };
    let mut its = Side { name: against, items: only(&other.site(work.site), &other.checkout, &ours)? };
    // Both may have scripts of one version.
    for (side, mark) in [(&mut mine, "ours"), (&mut its, "theirs")] {
        for item in &mut side.items {
            if let crate::build::Work::Text(unit) = &mut item.work {
                unit.entry.key = format!("{mark} {}", unit.entry.key);
            }
        }
    }
    let outcome = report.of(Proof::Order);
    for item in &mine.items {
        let version = item.version.as_ref().map(ToString::to_string).unwrap_or_default();
        if theirs.contains_key(&version) {
            outcome.findings.push(Finding {
                level: Level::Note,
                code: "order/one-version",
                file: item.file.clone(),
                message: format!("{against} has another script of version {version}"),
                place: None,
                error: None,
                changes: Vec::new(),
                hint: Some("give this branch's scripts the next versions: `dbbuild renumber`".to_owned()),
            });
        }
    }
    if mine.items.is_empty() || its.items.is_empty() {
        outcome.skip(
            against,
            format!("only one side has scripts of its own: {} here, {} there", mine.items.len(), its.items.len()),
        );
        return Ok(());
    }
    // One database after the other: roles are not inside one.
    let one_way = one(work, &other.project, &common, &its, &mine, observer)?.map(|(built, _)| built);
    let other_way = one(work, &other.project, &common, &mine, &its, observer)?;
    let outcome = report.of(Proof::Order);
    let subjects = mine.items.len();
    match (one_way, other_way) {
        (Ok(expected), Ok((found, mut stage))) => {
            let apart = expected.compare(&found, &mut *stage.session, &BTreeSet::new(), work.wish.strict)?;
            let finding = |level, changes: Vec<_>, message: String| Finding {
                level,
                code: "order/differs",
                file: mine.items.first().map(|item| item.file.clone()).unwrap_or_default(),
                message,
                place: None,
                error: None,
                changes,
                hint: None,
            };
            outcome.scripts += subjects;
            if apart.changes.is_empty() {
                outcome.proven += subjects;
            } else {
                let message = format!(
                    "the order matters: with {against} first or this branch first there are two databases, by {}",
                    twice::summary(&apart.changes)
                );
                outcome.findings.push(finding(Level::Error, apart.changes, message));
            }
            if !apart.beside.is_empty() {
                let message = "the two orders differ in the order of columns or in generated names only".to_owned();
                outcome.findings.push(finding(Level::Note, apart.beside, message));
            }
        }
        (one, two) => {
            outcome.scripts += subjects;
            for failed in [one.err(), two.err()].into_iter().flatten() {
                let level = Level::Error;
                outcome.findings.push(Finding::of_error(
                    level,
                    "order/fails",
                    &failed.file,
                    &failed.what,
                    failed.error,
                )?);
            }
        }
    }
    outcome.duration += began.elapsed();
    Ok(())
}

/// A script that does not run in one of the orders.
struct Failed {
    file: String,
    what: String,
    error: EngineError,
}

type Ran = Result<(Built, Stage), Failed>;

fn one(
    work: &Work<'_>,
    other: &Project,
    common: &Checkout,
    first: &Side<'_>,
    then: &Side<'_>,
    observer: &mut dyn Observer,
) -> Result<Ran, Error> {
    let mut stage = Stage::open(work, &[other], observer)?;
    stage.build(work.site, common, &from_scripts())?;
    for (side, after) in [(first, None), (then, Some(first.name))] {
        for item in side.items.iter().filter(|item| item.kind == Kind::Script) {
            match stage.apply(work.site, item) {
                Ok(()) => {}
                Err(error @ (EngineError::Unit(_) | EngineError::Refused { .. })) => {
                    let what = match after {
                        Some(after) => format!("{}'s script fails after those of {after}", side.name),
                        None => format!("{}'s script fails before the other's", side.name),
                    };
                    return Ok(Err(Failed { file: item.file.clone(), what, error }));
                }
                Err(other) => return Err(other.into()),
            }
        }
    }
    Ok(Ok((Built::of(&mut stage)?, stage)))
}
