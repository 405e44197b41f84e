//! Either order: what this branch adds and what another one adds, in both orders. A late script that commutes with
//! everything it comes after is safe to merge.

use std::collections::BTreeMap;

use super::account::Account;
use super::built::{Apart, Built, Moving};
use super::report::answered;
use super::revision::Revision;
use super::roads::from_scripts;
use super::stage::Stage;
use super::{Finding, Halt, Level, Proof, Work, twice};
use crate::build::{self, Checkout, Item, Site, history};
use crate::engine::EngineError;
use crate::error::Error;
use crate::journal::Kind;
use crate::project::Project;
use crate::script::Script;

/// The scripts of one side.
struct Side<'a> {
    name: &'a str,
    items: Vec<Item>,
}

impl<'a> Side<'a> {
    /// Returns the same with its first scripts alone.
    fn first(&self, count: usize) -> Self {
        Self { name: self.name, items: self.items[..count].to_vec() }
    }
}

/// Scripts by their versions.
type Known<'a> = BTreeMap<String, &'a Script>;

/// Runs what only this checkout has and what only the other revision has, in both orders. `moving` is what two builds of
/// this checkout have otherwise.
pub fn order(work: &Work<'_>, against: &str, moving: &Moving, account: &mut Account<'_>) -> Result<(), Halt> {
    account.enter("order");
    let other = Revision::open(work.site, against)?;
    let (ours, theirs) = (known(work.checkout), known(&other.checkout));
    let mine = Side { name: "this branch", items: only(work.site, work.checkout, &theirs, "ours")? };
    let its = Side { name: against, items: only(&other.site(work.site), &other.checkout, &ours, "theirs")? };
    for item in &mine.items {
        if item.version.as_ref().is_some_and(|version| theirs.contains_key(&version.to_string())) {
            let version = item.version.as_ref().map(ToString::to_string).unwrap_or_default();
            let message = format!("{against} has another script of version {version}");
            let finding = Finding::new(Level::Note, "order/one-version", &item.file, message)
                .hint("give this branch's scripts the next versions: `dbbuild renumber`");
            account.of(Proof::Order).findings.push(finding);
        }
    }
    if mine.items.is_empty() || its.items.is_empty() {
        let (mine, its) = (mine.items.len(), its.items.len());
        let why = format!("only one side has scripts of its own: {mine} here, {its} there");
        account.of(Proof::Order).skip(against, why);
        return Ok(());
    }
    let mut common = work.checkout.clone();
    common.scripts.retain(|script| is_common(script, &theirs));
    let common = common.scripts_alone();
    // One database after the other: roles are not inside one.
    let (mut stage, stopped) = one(work, &other.project, &common, [&its, &mine], account)?;
    let expected = match stopped {
        Some(finding) if work.wish.keep => {
            return account.note(Proof::Order, vec![finding], &mut stage, &format!("{against} first"));
        }
        Some(finding) => Err(finding),
        None => Ok(Built::of(&mut stage)?),
    };
    drop(stage);
    let (mut stage, stopped) = one(work, &other.project, &common, [&mine, &its], account)?;
    let findings = match (expected, stopped) {
        (Ok(expected), None) => {
            let found = Built::of(&mut stage)?;
            let mut apart = expected.compare(&found, &mut *stage.session, moving, work.wish.strict)?;
            let mut first = None;
            if !apart.changes.is_empty() && !work.wish.keep {
                // What the other revision has may be another one in each build: then the order is not to blame.
                drop(stage);
                stage = one(work, &other.project, &common, [&its, &mine], account)?.0;
                let same = Built::of(&mut stage)?;
                let (moving, _) = expected.moving(&same, &mut *stage.session, work.wish.strict)?;
                apart = expected.compare(&found, &mut *stage.session, &moving, work.wish.strict)?;
                if !apart.changes.is_empty() {
                    let tries = Tries { work, other: &other.project, common: &common, moving: &moving };
                    drop(stage);
                    first = tries.first_pair(&mine, &its, account)?;
                    stage = Stage::bare(work, &[], account.observer)?;
                }
            }
            told(&mine, &its, first, apart)
        }
        (expected, stopped) => expected.err().into_iter().chain(stopped).collect(),
    };
    // One comparison is about all of them.
    let others = mine.items.len() - 1;
    let outcome = account.of(Proof::Order);
    outcome.scripts += others;
    outcome.proven += if findings.iter().any(|finding| finding.level == Level::Error) { 0 } else { others };
    account.note(Proof::Order, findings, &mut stage, &format!("this branch first, then {against}"))
}

/// Tells how the two orders differ, and if they are known, by the first scripts of which side.
fn told(mine: &Side<'_>, its: &Side<'_>, first: Option<[&str; 2]>, apart: Apart) -> Vec<Finding> {
    let file = first.map(|pair| pair[0]).or(mine.items.first().map(|item| item.file.as_str())).unwrap_or_default();
    let finding = |level, message: String| Finding::new(level, "order/differs", file, message);
    let mut findings = Vec::new();
    if !apart.changes.is_empty() {
        let (against, by) = (its.name, twice::summary(&apart.changes));
        let with = first.map(|pair| format!(", since {} of {against}", pair[1])).unwrap_or_default();
        let message = format!(
            "the order matters: with {against} first or this branch first there are two databases, by {by}{with}"
        );
        findings.push(finding(Level::Error, message).with(apart.changes));
    }
    if !apart.beside.is_empty() {
        let message = "the two orders differ in the order of columns or in generated names only".to_owned();
        findings.push(finding(Level::Note, message).with(apart.beside));
    }
    findings
}

fn known(checkout: &Checkout) -> Known<'_> {
    checkout.scripts.iter().map(|script| (script.version.to_string(), script)).collect()
}

fn is_common(script: &Script, others: &Known<'_>) -> bool {
    others.get(&script.version.to_string()).is_some_and(|other| other.checksum == script.checksum)
}

/// Returns what the other side has not. Both may have scripts of one version, so the journal knows them by their side.
fn only(site: &Site<'_>, checkout: &Checkout, others: &Known<'_>, side: &str) -> Result<Vec<Item>, Error> {
    let mut alone = checkout.clone();
    alone.scripts.retain(|script| !is_common(script, others));
    let mut items = history(site, &alone.scripts_alone(), None)?;
    for item in &mut items {
        if let build::Work::Text(unit) = &mut item.work {
            unit.entry.key = format!("{side} {}", unit.entry.key);
        }
    }
    Ok(items)
}

/// Runs both sides one after the other; returns what stops that, if something does.
fn one(
    work: &Work<'_>,
    other: &Project,
    common: &Checkout,
    sides: [&Side<'_>; 2],
    account: &mut Account<'_>,
) -> Result<(Stage, Option<Finding>), Error> {
    let mut stage = Stage::open(work, &[other], account.observer)?;
    stage.build(work.site, common, &from_scripts(), account)?;
    for (side, after) in sides.into_iter().zip([None, Some(sides[0].name)]) {
        for item in side.items.iter().filter(|item| item.kind == Kind::Script) {
            if let Err(error) = answered(stage.apply(work.site, item))? {
                return Ok((stage, Some(failed(side, after, item, error)?)));
            }
        }
    }
    Ok((stage, None))
}

/// A script that does not run in one of the orders.
fn failed(side: &Side<'_>, after: Option<&str>, item: &Item, error: EngineError) -> Result<Finding, EngineError> {
    let what = match after {
        Some(after) => format!("{}'s script fails after those of {after}", side.name),
        None => format!("{}'s script fails before the other's", side.name),
    };
    Finding::of_error(Level::Error, "order/fails", &item.file, &what, error)
}

/// Tries the first scripts of both sides, to see which of them do not commute.
struct Tries<'a> {
    work: &'a Work<'a>,
    other: &'a Project,
    common: &'a Checkout,
    moving: &'a Moving,
}

impl Tries<'_> {
    /// Returns the first script of one side that does not commute with the other side, and the first one there that it
    /// does not commute with.
    fn first_pair<'a>(
        &self,
        mine: &'a Side<'_>,
        its: &'a Side<'_>,
        account: &mut Account<'_>,
    ) -> Result<Option<[&'a str; 2]>, Error> {
        let ours =
            first(mine.items.len(), |count| self.differ(mine.first(count), its.first(its.items.len()), account))?;
        let theirs = first(its.items.len(), |count| self.differ(mine.first(ours), its.first(count), account))?;
        let file = |side: &'a Side<'_>, count: usize| side.items.get(count.wrapping_sub(1)).map(|item| &*item.file);
        Ok(file(mine, ours).zip(file(its, theirs)).map(|(ours, theirs)| [ours, theirs]))
    }

    /// Returns true if the two orders end in two databases, or one of them not at all.
    fn differ(&self, mine: Side<'_>, its: Side<'_>, account: &mut Account<'_>) -> Result<bool, Error> {
        let (mut stage, stopped) = one(self.work, self.other, self.common, [&its, &mine], account)?;
        if stopped.is_some() {
            return Ok(true);
        }
        let expected = Built::of(&mut stage)?;
        drop(stage);
        let (mut stage, stopped) = one(self.work, self.other, self.common, [&mine, &its], account)?;
        if stopped.is_some() {
            return Ok(true);
        }
        let found = Built::of(&mut stage)?;
        let apart = expected.compare(&found, &mut *stage.session, self.moving, self.work.wish.strict)?;
        Ok(!apart.changes.is_empty())
    }
}

/// Returns the smallest number that is tried with success; the last one is known to be.
fn first(last: usize, mut succeeds: impl FnMut(usize) -> Result<bool, Error>) -> Result<usize, Error> {
    let (mut low, mut high) = (0, last);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if succeeds(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(high)
}
