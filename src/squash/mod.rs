//! `squash`: a frozen dump of what old scripts make stands in for them, and they may be deleted.
//!
//! Promises: a base is loaded, and compared with what it stands for, before it replaces anything; nobody's database
//! is looked at or changed; what a dump does not hold is named.

mod comments;
mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::build::{self, Checkout, Fresh, Reading, Refusal, Site, Wish, discover, load};
use crate::drift;
use crate::engine::catalog::Patterns;
use crate::engine::{Builder, Catalog, Clock};
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::numbering::Elsewhere;
use crate::project::base::{self, Base};
use crate::project::{Project, SettingsError};
use crate::script::{Checksum, Script, Squashed, Version, token_checksum};
use crate::sql::Dialect;

pub use comments::{Comment, Counts, comments};

/// What came of squashing for one engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The base's folder.
    pub folder: String,
    /// How many scripts it stands for.
    pub scripts: usize,
    /// How many files it has; none if it was there already.
    pub files: usize,
    /// True if the committed baseline was told, and so still belongs.
    pub baseline_stays: bool,
    /// What the scripts did and no dump holds: `db/0003_roles.sql makes roles`.
    pub left_out: Vec<String>,
}

/// Returns the git commit that has the files of scripts, as they are now; nothing outside of a repository. Refuses
/// files that no commit has: whoever needs them later would look for them in vain.
pub fn revision(project: &Project, dialect: Dialect, scripts: &[&Script]) -> Result<Option<String>, Error> {
    let mut files: Vec<String> = scripts.iter().flat_map(|script| files_of(project, script)).collect();
    // What they include is part of their text, though others may need it too.
    files.extend(scripts.iter().flat_map(|script| build::included(project, &script.file, dialect)));
    files.sort();
    files.dedup();
    committed(project, &files)
}

/// Returns a script's file and what stands beside it: its down script, its sidecar.
fn files_of(project: &Project, script: &Script) -> Vec<String> {
    let mut files = vec![script.file.clone()];
    files.extend(script.down.clone());
    files.extend(project.layout().sidecar(&script.file).map(|sidecar| sidecar.path));
    files.retain(|file| project.files.has(file));
    files.sort();
    files.dedup();
    files
}

/// Returns the newest commit if it has these files as they are now.
fn committed(project: &Project, files: &[String]) -> Result<Option<String>, Error> {
    let Some(elsewhere) = Elsewhere::of(project) else { return Ok(None) };
    let repository = elsewhere.repository();
    let uncommitted = |files: &[String]| {
        Refusal::new("squash/uncommitted", format!("not committed as they are now: {}", files.join(", ")))
            .note("a database that lacks them is sent to the commit that has them")
            .hint("commit them, and squash then")
    };
    let files: Vec<String> = files.iter().map(|file| elsewhere.in_repository(file)).collect();
    let Some(head) = repository.head() else { return Err(uncommitted(&files).into()) };
    let committed: BTreeSet<String> = repository.files(&head, ".")?.into_iter().collect();
    let status = repository.ask(&["status", "--porcelain", "-z", "--no-renames", "--untracked-files=no"])?;
    let changed: BTreeSet<&str> = status.split('\0').filter_map(|line| line.get(3..)).collect();
    let missing: Vec<String> =
        files.into_iter().filter(|file| !committed.contains(file) || changed.contains(file.as_str())).collect();
    if missing.is_empty() { Ok(Some(head)) } else { Err(uncommitted(&missing).into()) }
}

/// Writes the base of an engine: what the scripts up to a version make, without code and seeds.
pub fn squash(site: &Site<'_>, to: &Version, observer: &mut dyn Observer) -> Result<Done, Error> {
    let project = site.project;
    let Some(root) = project.files.root() else {
        let message = "a project inside a program cannot be written to";
        return Err(SettingsError::new("squash/embedded", message).into());
    };
    let checkout = discover(project, site.engine.dialect())?;
    let folder = base::folder(project, checkout.dialect);
    if let Some(base) = &checkout.base
        && base.version >= *to
    {
        if base.version > *to {
            let message = format!("{folder} stands for the scripts up to {} already", base.version);
            return Err(Refusal::new("squash/behind", message)
                .hint(format!("squash to a version above {}", base.version))
                .into());
        }
        // Its scripts may be deleted now: it must be whole, and on the disk.
        if let Some(file) = base.damage(project) {
            return Err(build::damaged_base(base, &file).into());
        }
        place::sync(&root.join(&folder))?;
        let scripts = base.scripts.len();
        return Ok(Done { folder, scripts, files: 0, baseline_stays: true, left_out: Vec::new() });
    }
    let scripts: Vec<&Script> = checkout.scripts.iter().filter(|script| script.version <= *to).collect();
    let revision = revision(project, checkout.dialect, &scripts)?;
    let squashed = squashed(project, &checkout, &scripts, revision.as_deref())?;

    let parent = root.join(&folder).parent().map_or_else(|| root.to_owned(), Path::to_owned);
    let new = place::beside(&parent)?;
    let server = write(site, &checkout, to, new.path(), observer)?;
    let mut files = BTreeMap::new();
    for file in build::files_below(new.path())? {
        let checksum = build::checksum_of(&new.path().join(&file))?;
        files.insert(file, checksum);
    }
    let left_out = left_out(project, checkout.dialect, &scripts)?;
    let base = Base {
        folder: folder.clone(),
        version: to.clone(),
        server,
        scripts: squashed,
        checksum: Checksum::default(),
        files,
    };
    let manifest = new.path().join(base::MANIFEST);
    std::fs::write(&manifest, base.text()).map_err(|error| io(&manifest, error))?;
    place::put(&root.join(&folder), new, &base.files)?;

    let after = discover(project, checkout.dialect)?;
    let baseline_stays = build::baseline_stays(project, &checkout, &after)?;
    Ok(Done { folder, scripts: base.scripts.len(), files: base.files.len(), baseline_stays, left_out })
}

/// Returns what the base will stand for: what the one before it did, and the scripts since.
fn squashed(
    project: &Project,
    checkout: &Checkout,
    scripts: &[&Script],
    revision: Option<&str>,
) -> Result<Vec<Squashed>, Error> {
    let mut all = checkout.squashed().to_vec();
    for script in scripts.iter().filter(|script| !checkout.is_squashed(script)) {
        let reading = Reading { dialect: checkout.dialect, layout: Some(project.layout()), variables: None };
        let text = load(project, &script.file, reading)?.text;
        all.retain(|before| before.version != script.version);
        all.push(Squashed {
            version: script.version.clone(),
            name: script.name.clone(),
            file: script.file.clone(),
            checksum: script.checksum.clone(),
            tokens: token_checksum(text.as_str(), checkout.dialect),
            revision: revision.map(str::to_owned),
        });
    }
    all.sort_by(|a, b| a.version.cmp(&b.version));
    Ok(all)
}

/// Builds the scripts in a scratch database, dumps it into an empty folder, and proves the dump by loading it.
/// Returns the server's major version.
fn write(
    site: &Site<'_>,
    checkout: &Checkout,
    to: &Version,
    folder: &Path,
    observer: &mut dyn Observer,
) -> Result<u32, Error> {
    let mut built = Fresh::open(site, observer)?;
    let wish = Wish { to: Some(to.clone()), from_scripts: true, no_baseline: true, no_seed: true, ..Wish::default() };
    built.build_to(site, checkout, None, &wish)?;
    let info = built.session.dump(folder, observer)?;
    let before = built.session.catalog()?;
    build::tell_login(&built, &before, "base", observer);

    let mut loaded = Fresh::open(site, observer)?;
    loaded.load(site, folder)?;
    let after = loaded.session.catalog()?;
    let nothing = Patterns::new(std::iter::empty()).map_err(|error| not_whole(&error.to_string()))?;
    let differences = drift::compare(&before, &after, &nothing, &mut *built.session)?;
    let counted: Vec<String> = differences
        .iter()
        .filter(|difference| difference.change.counts())
        .map(|difference| format!("{} {} {}", difference.change.word(), difference.kind, difference.name))
        .collect();
    if !counted.is_empty() {
        return Err(not_whole(&counted.join(", ")).into());
    }
    let again = tempfile::tempdir().map_err(|error| io(&std::env::temp_dir(), error))?;
    loaded.session.dump(again.path(), observer)?;
    for file in build::files_below(folder)?.iter().filter(|file| file.starts_with("data/")) {
        let (one, other) = (folder.join(file), again.path().join(file));
        if !other.exists() || build::checksum_of(&one)? != build::checksum_of(&other)? {
            return Err(not_whole(&format!("the rows of {file}")).into());
        }
    }
    observer.event(Event::Progress {
        name: "squash".into(),
        message: format!("{} objects loaded and compared", before.len()),
        done: None,
    });
    // Before the next build: roles outlive databases, and a script that makes one must not meet it.
    drop((built, loaded));
    tell_otherwise(site, checkout, &wish, &before, observer)?;
    Ok(info.server_major)
}

/// Names what the scripts make otherwise where the target's login runs them, since they name it: `drift` will.
fn tell_otherwise(
    site: &Site<'_>,
    checkout: &Checkout,
    wish: &Wish,
    base: &Catalog,
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    let mut own = Fresh::open_at(site, Clock::Own, Builder::Login, observer)?;
    let Some(login) = own.named_builder().map(str::to_owned) else { return Ok(()) };
    own.build_to(site, checkout, None, wish)?;
    let made = own.session.catalog()?;
    let differences = drift::compare(base, &made, &Patterns::default(), &mut *own.session)?;
    let names: Vec<String> = differences.iter().map(|one| format!("{} {}", one.kind, one.name)).collect();
    if !names.is_empty() {
        let message = format!(
            "the scripts name {login}, or ask who builds them, and make otherwise where {login} runs them: {}. Databases \
             that {login} built from them will show that as drift",
            names.join(", ")
        );
        observer.event(Event::Note { code: "squash/login".into(), message });
    }
    Ok(())
}

fn not_whole(what: &str) -> Refusal {
    Refusal::new("squash/not-whole", format!("a dump of what the scripts make, loaded again, is not the same: {what}"))
        .hint("squash to a version before that was made, or make it in code objects")
        .hint("nothing was changed; please report what a dump cannot hold")
}

/// Names what scripts do and no dump of one database holds.
fn left_out(project: &Project, dialect: Dialect, scripts: &[&Script]) -> Result<Vec<String>, Error> {
    if dialect == Dialect::Sqlite {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for script in scripts {
        let reading = Reading { dialect, layout: Some(project.layout()), variables: None };
        let text = load(project, &script.file, reading)?.text;
        if build::makes_roles(text.as_str(), dialect) {
            found.push(format!("{} makes roles", script.file));
        }
        if let Some(what) = build::reaches_out_of(text.as_str(), dialect) {
            found.push(format!("{} has `{what}`", script.file));
        }
    }
    Ok(found)
}

/// Returns the files that nothing needs any more: scripts that a base of every engine that reads them stands for,
/// with what stands beside them.
pub fn obsolete(project: &Project, dialects: &[Dialect]) -> Result<Vec<String>, Error> {
    let (mut gone, mut needed) = (BTreeSet::new(), BTreeSet::new());
    for dialect in dialects {
        let checkout = discover(project, *dialect)?;
        for script in &checkout.scripts {
            let files = files_of(project, script);
            if checkout.is_squashed(script) { gone.extend(files) } else { needed.extend(files) }
        }
    }
    Ok(gone.difference(&needed).cloned().collect())
}

/// Deletes files, and folders that had nothing else in them. In a repository, only what is committed as it is now.
pub fn delete(project: &Project, files: &[String]) -> Result<(), Error> {
    let Some(root) = project.files.root() else { return Ok(()) };
    committed(project, files)?;
    for file in files {
        let path = root.join(file);
        std::fs::remove_file(&path).map_err(|error| io(&path, error))?;
        // A folder per change; one that is not empty stays.
        if let Some(parent) = path.parent().filter(|parent| *parent != root) {
            std::fs::remove_dir(parent).ok();
        }
    }
    Ok(())
}

fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Io { path: PathBuf::from(path), source }
}
