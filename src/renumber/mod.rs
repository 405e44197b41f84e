//! `renumber`: mends two scripts of one version, and scripts that others have overtaken.
//!
//! What is not merged yet moves above the main branch's newest script, in its order and its width, down files and
//! options with it. Texts stay as they are, so that a journal sees a moved script and runs nothing again. Without a
//! main branch to compare with, and on the main branch itself, only collisions are mended: the script that came
//! last moves.

mod settings;
mod units;

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use crate::build::Refusal;
use crate::error::Error;
use crate::numbering::{Elsewhere, Known, Numbering, Written, here, squashed};
use crate::project::{Project, SettingsError};
use crate::script::Version;
use units::{Unit, units};

/// What was renamed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renumbered {
    /// Old and new paths, relative to the project.
    pub files: Vec<(String, String)>,
    /// Old and new versions.
    pub versions: Vec<(Version, Version)>,
    /// True if `dbbuild.toml` names a moved script and follows.
    pub settings_changed: bool,
}

/// Gives unmerged scripts the next versions, if one of them stands in the way or was overtaken. Nothing to do is no
/// error, and changes nothing.
pub fn renumber(project: &Project, now: Timestamp) -> Result<Renumbered, Error> {
    let Some(root) = project.files.root() else {
        return Err(SettingsError::new("renumber/embedded", "a project inside a program cannot be renumbered").into());
    };
    let elsewhere = Elsewhere::of(project);
    let all = units(here(project)?);
    let (ours, mut floor) = sides(root, elsewhere.as_ref(), all)?;
    floor.extend(squashed(project)?);
    let moves = plan(&ours, floor, now);
    check(root, &moves)?;
    let mut done = Renumbered::default();
    // Every script moves up, so that the last one first never meets another.
    for (unit, to) in moves.iter().rev() {
        for (old, new) in unit.renames(project, to).into_iter().rev() {
            rename(root, &old, &new)?;
            done.files.push((old, new));
        }
        done.versions.push((unit.version().clone(), to.version.clone()));
    }
    done.files.reverse();
    done.versions.reverse();
    if !done.versions.is_empty() {
        let left: BTreeSet<Version> = here(project)?.iter().map(|known| known.version().clone()).collect();
        done.settings_changed = settings::follow(root, &done.versions, &left)?;
    }
    Ok(done)
}

/// Divides the scripts into those that may move, in order, and the newest that stay.
fn sides(root: &Path, elsewhere: Option<&Elsewhere<'_>>, all: Vec<Unit>) -> Result<(Vec<Unit>, Vec<Known>), Error> {
    let committed = elsewhere.and_then(|elsewhere| Some((elsewhere, elsewhere.repository().head()?)));
    let Some((elsewhere, head)) = committed else {
        let (ours, stay) = latest_of_collisions(all, |unit| Ok(unit.modified(root)))?;
        return Ok((ours, known(&stay)));
    };
    let Some(main) = elsewhere.main_branch() else {
        let (ours, stay) = latest_of_collisions(all, |unit| arrival(root, elsewhere, unit))?;
        return Ok((ours, known(&stay)));
    };
    let repository = elsewhere.repository();
    let tip = repository.ask(&["rev-parse", "--verify", &format!("{main}^{{commit}}")])?.trim().to_owned();
    let theirs = elsewhere.scripts_at(&tip)?;
    let mut merged: BTreeSet<String> = theirs.iter().map(|known| known.path.clone()).collect();
    // Branches without a common commit have no merge base; then only what the main branch has is merged.
    if let Ok(base) = repository.ask(&["merge-base", &head, &tip]) {
        merged.extend(elsewhere.scripts_at(base.trim())?.into_iter().map(|known| known.path));
    }
    let (settled, mut ours): (Vec<Unit>, Vec<Unit>) = all.into_iter().partition(|unit| unit.is_in(&merged));
    let (late, settled) = latest_of_collisions(settled, |unit| arrival(root, elsewhere, unit))?;
    if let Some(first) = late.first()
        && head != tip
    {
        let message = format!("version {} is on {main} twice", first.version());
        return Err(Refusal::new("renumber/merged", message)
            .note(format!("{} came last", first.shown()))
            .hint(format!("run `dbbuild renumber` on {main}, and merge it into this branch"))
            .into());
    }
    ours.extend(late);
    ours.sort_by(|a, b| a.version().cmp(b.version()));
    let mut stay = known(&settled);
    let moved: BTreeSet<&str> = ours.iter().flat_map(Unit::paths).collect();
    stay.extend(theirs.into_iter().filter(|known| !moved.contains(known.path.as_str())));
    Ok((ours, stay))
}

fn known(units: &[Unit]) -> Vec<Known> {
    units.iter().flat_map(|unit| unit.files.iter().cloned()).collect()
}

/// Returns the units that share their version with one that came earlier, and the others. When each came is told
/// by `came`; a tie cannot be decided here.
fn latest_of_collisions(
    all: Vec<Unit>,
    came: impl Fn(&Unit) -> Result<Option<i128>, Error>,
) -> Result<(Vec<Unit>, Vec<Unit>), Error> {
    let (mut late, mut stay): (Vec<Unit>, Vec<Unit>) = (Vec::new(), Vec::new());
    for unit in all {
        let Some(at) = stay.iter().position(|other| other.version() == unit.version()) else {
            stay.push(unit);
            continue;
        };
        let (first, second) = (came(&stay[at])?, came(&unit)?);
        if first == second {
            let message = format!("which one moves? {} and {} came at the same time", stay[at].shown(), unit.shown());
            return Err(Refusal::new("renumber/which", message)
                .hint("rename the one that no database has run yet, to a version above the newest")
                .into());
        }
        late.push(if first > second { std::mem::replace(&mut stay[at], unit) } else { unit });
    }
    Ok((late, stay))
}

/// Returns when a script came to this branch, for comparing only; what git does not have yet came last.
fn arrival(root: &Path, elsewhere: &Elsewhere<'_>, unit: &Unit) -> Result<Option<i128>, Error> {
    const UNCOMMITTED: i128 = 1 << 100;
    let mut last = None;
    for path in unit.paths() {
        let path = elsewhere.in_repository(path);
        // The first parents alone: when it was merged here counts, not when it was written elsewhere.
        let log =
            ["log", "--first-parent", "-m", "--diff-filter=A", "--format=%ct", "--max-count=1", "HEAD", "--", &path];
        let committed = elsewhere.repository().ask(&log)?.trim().parse().ok();
        last = last.max(committed.or_else(|| Some(UNCOMMITTED + unit.modified(root)?)));
    }
    Ok(last)
}

/// Returns where each script goes that cannot stay: above the others' newest and above the one in front of it.
fn plan(ours: &[Unit], stay: Vec<Known>, now: Timestamp) -> Vec<(&Unit, Written)> {
    let newest = stay.iter().filter(|known| known.parts.is_up()).max_by(|a, b| a.version().cmp(b.version()));
    let Some(first) = newest.map(Known::written).or_else(|| ours.first().map(Unit::written)) else { return Vec::new() };
    let raws = stay.iter().chain(ours.iter().flat_map(|unit| &unit.files)).map(|known| known.parts.raw.as_str());
    let numbering = Numbering::of(&first.raw, raws);
    let mut moves = Vec::new();
    let mut last: Option<Written> = newest.map(Known::written);
    for unit in ours {
        let next = match &last {
            Some(last) if unit.version() <= &last.version => numbering.after(last, now),
            _ => {
                last = Some(unit.written());
                continue;
            }
        };
        last = Some(next.clone());
        moves.push((unit, next));
    }
    moves
}

/// Refuses what would run over a file.
fn check(root: &Path, moves: &[(&Unit, Written)]) -> Result<(), Error> {
    let leaving: BTreeSet<&str> = moves.iter().flat_map(|(unit, _)| unit.paths()).collect();
    for (unit, to) in moves {
        for file in &unit.files {
            let new = unit.moved(file, to);
            if !leaving.contains(new.as_str()) && root.join(&new).exists() {
                let message = format!("{} would become {new}, which exists", file.path);
                return Err(Refusal::new("renumber/exists", message).hint(format!("move {new} away")).into());
            }
        }
    }
    Ok(())
}

fn rename(root: &Path, old: &str, new: &str) -> Result<(), Error> {
    let failed = |source| Error::Io { path: root.join(old), source };
    if let Some(folder) = root.join(new).parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::rename(root.join(old), root.join(new)).map_err(failed)
}

#[cfg(test)]
mod tests;
