//! The last stage: the full dump of a fresh build, committed beside the scripts. It is made in a scratch
//! database from the scripts alone, so nobody's working data can leak into it.

use std::time::Instant;

use super::fresh::Fresh;
use super::told::milliseconds;
use super::{Checkout, Site};
use crate::engine::EngineError;
use crate::error::Error;
use crate::event::{Event, Observer, StepKind, StepResult};
use crate::project::{FoundKind, Project};
use crate::script::Checksum;
use crate::sql::Dialect;

mod make;
mod manifest;
mod objects;
mod place;
mod rows;
mod streamed;
mod volatile;

use manifest::{Listed, MANIFEST, Manifest};
use place::Place;

pub use objects::Digests;
pub use place::{checksum_of, collect_forgotten, files_below};

/// What the committed baseline is worth to a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// There is none, or it was made from other scripts, code or seeds.
    Stale,
    /// It was made from exactly these, but its files are not those of its manifest: a merge by hand.
    Untrusted,
    /// It was made from exactly these by a server of this major version.
    Belongs {
        /// The server's major version.
        server: u32,
    },
}

/// What came of regenerating a baseline.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Regenerated {
    /// The files that were written or removed, relative to the baseline's folder.
    pub changed: Vec<String>,
}

/// Says what the committed baseline is worth. Its own files are read only with `thorough`.
pub fn worth(project: &Project, checkout: &Checkout, thorough: bool) -> Worth {
    let Some(manifest) = Manifest::committed(project, checkout.dialect) else { return Worth::Stale };
    if manifest.inputs != manifest::inputs(checkout) {
        return Worth::Stale;
    }
    if thorough && !manifest::changes(&manifest.files, &files(project, checkout, &manifest)).is_empty() {
        return Worth::Untrusted;
    }
    Worth::Belongs { server: manifest.server }
}

/// Returns what tells the committed baseline from every other; nothing without one that is whole.
pub fn checksum(project: &Project, dialect: Dialect) -> Option<Checksum> {
    let manifest = Manifest::committed(project, dialect)?;
    let lines = [manifest::lines(&manifest.inputs), manifest::lines(&manifest.files)];
    Some(Checksum::of_tokens(lines.iter().map(String::as_str)))
}

/// Says why the committed baseline is stale, a line each; nothing if it belongs to the checkout.
pub fn reasons(project: &Project, checkout: &Checkout) -> Vec<String> {
    let folder = project.baseline_folder(checkout.dialect);
    let Some(manifest) = Manifest::committed(project, checkout.dialect) else {
        let path = format!("{folder}/{MANIFEST}");
        return vec![if let Some(engine) = manifest::other_engine(project, checkout.dialect) {
            format!("{path} is of {engine}, and this is the folder of {}", checkout.dialect)
        } else if project.files.has(&path) {
            format!("{path} is not whole: a merge by hand?")
        } else {
            format!("{path} is missing")
        }];
    };
    let mut reasons = manifest::changes(&manifest.inputs, &manifest::inputs(checkout));
    let files = manifest::changes(&manifest.files, &files(project, checkout, &manifest));
    reasons.extend(files.iter().map(|file| format!("{folder}/{file}, the manifest says otherwise")));
    reasons
}

/// Returns the baseline's files as they are: those that the manifest lists, and those that look like a baseline's.
fn files(project: &Project, checkout: &Checkout, manifest: &Manifest) -> Listed {
    let folder = project.baseline_folder(checkout.dialect);
    let found = project.files.walk(&folder).into_iter().filter(|found| found.kind == FoundKind::File);
    let inside = |path: String| {
        path.strip_prefix(folder.as_str()).and_then(|rest| rest.strip_prefix('/')).map_or(path.clone(), str::to_owned)
    };
    let counts =
        |path: &String| manifest.files.contains_key(path) || (place::is_ours(path) && !place::is_building(path));
    let there = found.map(|found| inside(found.path)).filter(|path| path != MANIFEST && counts(path));
    there
        .filter_map(|path| {
            let checksum = project.files.checksum(&format!("{folder}/{path}")).ok()?;
            Some((path, checksum))
        })
        .collect()
}

/// What a database can be held to without a scratch database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The major version of the server that made it.
    pub server: u32,
    /// The objects.
    pub digests: Digests,
    /// True if the baseline has rows.
    pub has_rows: bool,
}

/// Returns what the committed baseline holds a database to, if it belongs to the checkout and is whole.
pub fn held(project: &Project, checkout: &Checkout) -> Option<Held> {
    let Worth::Belongs { server } = worth(project, checkout, true) else { return None };
    let digests = Digests::committed(project, checkout.dialect)?;
    let manifest = Manifest::committed(project, checkout.dialect)?;
    let has_rows = manifest.files.keys().any(|path| path.starts_with("data/"));
    Some(Held { server, digests, has_rows })
}

/// Tells the committed baseline, if it belongs to one state of the files, that it belongs to another one too: a
/// squash changes what stands for what, and nothing that comes out. False if it did not belong.
pub fn stays(project: &Project, before: &Checkout, after: &Checkout) -> Result<bool, Error> {
    let Some(root) = project.files.root() else { return Ok(false) };
    if !matches!(worth(project, before, true), Worth::Belongs { .. }) {
        return Ok(false);
    }
    let path = root.join(project.baseline_folder(before.dialect)).join(MANIFEST);
    let io = |source| Error::Io { path: path.clone(), source };
    let text = std::fs::read_to_string(&path).map_err(io)?;
    let (old, new) = (manifest::lines(&manifest::inputs(before)), manifest::lines(&manifest::inputs(after)));
    let text = text.replace("\r\n", "\n").replacen(&old, &new, 1);
    let beside = path.with_file_name(format!(".dbbuild-{MANIFEST}"));
    std::fs::write(&beside, text).map_err(io)?;
    std::fs::rename(&beside, &path).map_err(io)?;
    Ok(true)
}

/// Regenerates the baseline as a step of a build, where trouble outside is a note and no failure.
pub fn step(site: &Site<'_>, checkout: &Checkout, folder: &str, observer: &mut dyn Observer) -> Result<(), Error> {
    let started = Instant::now();
    observer.event(Event::Started { step: StepKind::Baseline, name: folder.to_owned() });
    match regenerate(site, checkout, observer) {
        Ok(regenerated) => {
            observer.event(Event::Finished {
                step: StepKind::Baseline,
                name: folder.to_owned(),
                duration_ms: milliseconds(started.elapsed()),
                result: StepResult::Regenerated { files: regenerated.changed },
            });
            Ok(())
        }
        Err(Error::Engine(error @ (EngineError::Tool { .. } | EngineError::Refused { .. }))) => {
            let message = format!("{folder} was not regenerated: {error}");
            observer.event(Event::Note { code: "baseline-skipped".into(), message });
            Ok(())
        }
        Err(other) => Err(other),
    }
}

/// Builds the checkout in scratch databases, dumps it, and writes what differs from the committed baseline.
pub fn regenerate(site: &Site<'_>, checkout: &Checkout, observer: &mut dyn Observer) -> Result<Regenerated, Error> {
    let Some(root) = site.project.files.root() else { return Ok(Regenerated { changed: Vec::new() }) };
    let place = Place::beside(root.join(site.project.baseline_folder(checkout.dialect)))?;
    let (info, files) = match make::make(site, checkout, &place, observer) {
        Ok(made) => made,
        Err(error) => {
            place.abandon();
            return Err(error);
        }
    };
    let text = Manifest::text(checkout.dialect, &info, &manifest::inputs(checkout), &files);
    Ok(Regenerated { changed: place.replace(&files, &text)? })
}
