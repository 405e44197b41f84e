//! Loading a base: an empty database gets what the squashed scripts made, and an entry for each of them.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::told::milliseconds;
use super::{Checkout, Site};
use crate::engine::{Load, Session};
use crate::error::Error;
use crate::event::{Event, Observer, Silent, StepKind, StepResult};
use crate::journal::{Kind, NewEntry, Stored};
use crate::project::{Base, Project};
use crate::script::Squashed;

/// Loads the checkout's base and journals what it stands for; false if another builder was faster.
pub fn load(
    site: &Site<'_>,
    checkout: &Checkout,
    folder: &str,
    session: &mut dyn Session,
    observer: &mut dyn Observer,
) -> Result<bool, Error> {
    let Some(base) = &checkout.base else { return Ok(true) };
    let started = Instant::now();
    observer.event(Event::Started { step: StepKind::Load, name: folder.to_owned() });
    if !put_in(site, base, session, observer)? {
        return Ok(false);
    }
    observer.event(Event::Finished {
        step: StepKind::Load,
        name: folder.to_owned(),
        duration_ms: milliseconds(started.elapsed()),
        result: StepResult::Loaded { version: Some(base.version.to_string()) },
    });
    Ok(true)
}

/// Loads the project's base, if it has one, into an empty database that has a journal: for whoever runs scripts one
/// by one.
pub fn begin(site: &Site<'_>, session: &mut dyn Session) -> Result<(), Error> {
    match Base::read(site.project, site.engine.dialect())? {
        Some(base) => put_in(site, &base, session, &mut Silent).map(drop),
        None => Ok(()),
    }
}

fn put_in(site: &Site<'_>, base: &Base, session: &mut dyn Session, observer: &mut dyn Observer) -> Result<bool, Error> {
    let entries: Vec<NewEntry> = base.scripts.iter().map(|script| entry(&site.project.name, script)).collect();
    let (path, _unpacked) = on_disk(site.project, base)?;
    let load = Load::new(&path, &site.project.name, &base.folder, base.checksum.clone());
    let load = Load { entries: &entries, ..load };
    Ok(session.load(&load, &site.run, observer)?)
}

/// Makes the entry of a script that a base stands for.
pub fn entry(project: &str, script: &Squashed) -> NewEntry {
    NewEntry {
        project: project.to_owned(),
        kind: Kind::Script,
        key: script.version.to_string(),
        order_key: script.version.order_key(),
        attempt: 1,
        name: script.name.clone(),
        checksum: script.checksum.clone(),
        token_checksum: script.tokens.clone(),
        text: None,
        state: Stored::Squashed,
        statements: 0,
        objects: Vec::new(),
    }
}

/// Returns the base's folder; that of an embedded project is written into a temporary one.
fn on_disk<'a>(project: &'a Project, base: &Base) -> Result<(Cow<'a, Path>, Option<tempfile::TempDir>), Error> {
    if let Some(root) = project.files.root() {
        return Ok((Cow::Owned(root.join(&base.folder)), None));
    }
    let io = |path: &Path| {
        let path = PathBuf::from(path);
        move |source| Error::Io { path, source }
    };
    let folder = tempfile::tempdir().map_err(io(Path::new("a temporary folder")))?;
    for file in base.files.keys() {
        let path = folder.path().join(file);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(io(parent))?;
        }
        let content = project.files.read(&format!("{}/{file}", base.folder)).map_err(io(Path::new(file)))?;
        std::fs::write(&path, content).map_err(io(&path))?;
    }
    Ok((Cow::Owned(folder.path().to_owned()), Some(folder)))
}
