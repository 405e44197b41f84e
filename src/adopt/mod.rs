//! Takes over a database that has objects and no journal: what scripts up to a version make is compared with what is
//! there, and with consent those scripts are journaled without running them.
//!
//! Promises: looking writes nothing; adopting writes the journal, the mark and the settings' `history`, nothing else.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::build::{self, Checkout, Fresh, Refusal, Site};
use crate::drift::RowDifference;
use crate::engine::catalog::{Change, Difference, Patterns};
use crate::engine::{Access, Builder, Catalog, Inspection, Object, Wait};
use crate::error::Error;
use crate::event::Observer;
use crate::journal::{Mark, Stored};
use crate::script::{Squashed, Version};
use crate::sql::Kind;

mod settings;
mod tool;

pub use tool::Tool;

/// What adopting would take over.
#[derive(Debug)]
pub struct Found {
    /// The version up to which scripts are taken over.
    pub version: Version,
    /// How many scripts that are.
    pub scripts: usize,
    /// Objects that are different from what those scripts make.
    pub differences: Vec<Difference>,
    /// Rows that are different.
    pub rows: Vec<RowDifference>,
    /// How many objects the scripts make.
    pub objects: usize,
    /// The mark that the database would get.
    pub mark: Option<Mark>,
    checkout: Checkout,
}

impl Found {
    /// Returns true if the database is what the scripts make. Order and generated names do not count.
    pub fn is_clean(&self) -> bool {
        self.rows.is_empty() && !self.differences.iter().any(|difference| difference.change.counts())
    }
}

/// Looks at the database, and compares it with a scratch build up to a version, said or read from a tool's journal.
pub fn look(
    site: &Site<'_>,
    to: Option<&Version>,
    tool: Option<Tool>,
    observer: &mut dyn Observer,
) -> Result<Found, Error> {
    let mut session = site.engine.connect(Access::Read)?;
    let inspection = session.inspect(&site.project.name)?;
    refuse_what_needs_no_adopting(site, &inspection)?;
    let found = session.catalog()?;
    let is_of_the_database = |object: &Object| {
        matches!(object.kind, Kind::Schema | Kind::Database | Kind::Extension | Kind::DefaultPrivileges)
    };
    if found.objects().all(is_of_the_database) {
        let message = format!("{} is empty: there is nothing to adopt", site.engine.describe());
        return Err(Refusal::new("adopt/empty", message).hint("build it: `dbbuild`").into());
    }
    let mut checkout = build::discover(site.project, site.engine.dialect())?;
    let version = match (to, tool) {
        (Some(to), _) => to.clone(),
        (None, Some(tool)) => tool::version(tool, &mut *session, site.project, &checkout)?,
        (None, None) => {
            return Err(Refusal::new("adopt/no-version", "up to which version the database is, nobody said")
                .hint("say it: `dbbuild adopt --to VERSION`")
                .hint(format!("or let another tool's journal say it: `dbbuild adopt --tool {}`", Tool::names()))
                .into());
        }
    };
    refuse_unknown(&version, &checkout)?;
    checkout.scripts.retain(|script| script.version <= version);
    checkout.seeds.clear();
    let with_code = checkout.clone();
    checkout.code.clear();
    // A database that is taken over is somebody's, whatever the settings say.
    let site = &Site { protected: true, ..site.clone() };
    let mut fresh = Fresh::begin(site, &checkout, None, Builder::Login, observer)?;
    fresh.build(site, &checkout, None)?;
    let ended = Instant::now();
    let mut fresh = fresh.keep()?;
    let (made, tables) = (fresh.session.catalog()?, fresh.session.seeded()?);
    let ignore = ignored(site)?;
    let expected = expected(site, &mut fresh, &made, &with_code)?;
    let mut differences = build::compare(&expected, &found, &ignore, &mut *fresh.session)?;
    let is_to_come =
        |one: &Difference| one.change == Change::Missing && made.get(&format!("{} {}", one.kind, one.name)).is_none();
    differences.retain(|one| !is_to_come(one));
    let mut rows = Vec::new();
    for table in &tables {
        let (name, key) = (table.table.to_string(), format!("table {}", table.table));
        if !ignore.matches(&key, &name)
            && found.get(&key).is_some()
            && let Some(there) = session.rows_like(table)?
        {
            rows.extend(crate::drift::compare_rows(table, there));
        }
    }
    // Before the next build: roles outlive databases, and a script that makes one must not meet it.
    drop(fresh);
    let rows = crate::drift::settle(site, &checkout, None, (&tables, ended), rows, observer)?;
    let mark = build::first_mark(site.target, site.engine.is_local());
    let (scripts, objects) = (checkout.scripts.len(), made.len());
    Ok(Found { version, scripts, differences, rows, objects, mark, checkout })
}

/// Returns what the scripts make, and the code objects, if those can be made at that version: some that are there are
/// held to them; the others are for the next build.
fn expected(site: &Site<'_>, fresh: &mut Fresh, made: &Catalog, with_code: &Checkout) -> Result<Catalog, Error> {
    if with_code.code.is_empty() || fresh.build(site, with_code, None).is_err() {
        return Ok(made.clone());
    }
    Ok(fresh.session.catalog()?)
}

/// Writes the journal and the mark, and `history` into the settings. Returns true if the settings were written.
pub fn adopt(site: &Site<'_>, found: &Found, observer: &mut dyn Observer) -> Result<bool, Error> {
    let site = &site.with_revision();
    let mut session = site.engine.connect(Access::Write)?;
    session.exclusive(Wait { limit: site.target.lock_wait }, observer)?;
    refuse_what_needs_no_adopting(site, &session.inspect(&site.project.name)?)?;
    let mut entries = Vec::new();
    let is_gone =
        |squashed: &&Squashed| !found.checkout.scripts.iter().any(|script| script.version == squashed.version);
    entries.extend(
        found.checkout.squashed().iter().filter(is_gone).map(|gone| build::squashed_entry(&site.project.name, gone)),
    );
    for script in &found.checkout.scripts {
        let mut entry = build::entry_without_running(site, &found.checkout, script, 0)?;
        entry.state = Stored::Adopted;
        entries.push(entry);
    }
    session.prepare(found.mark.as_ref(), false)?;
    session.record(&entries, &[], &site.run)?;
    match site.project.files.root() {
        Some(root) => settings::write_history(root, &found.version),
        None => Ok(false),
    }
}

fn refuse_what_needs_no_adopting(site: &Site<'_>, inspection: &Inspection) -> Result<(), Refusal> {
    let described = site.engine.describe();
    if let Some(mark) = &inspection.mark {
        build::refuse_other_mark(mark, site.target, &described)?;
    }
    if inspection.journal.as_ref().is_some_and(|entries| !entries.is_empty()) || !inspection.other_projects.is_empty() {
        return Err(Refusal::new("adopt/has-journal", format!("{described} has a journal: there is nothing to adopt"))
            .hint("see how it stands: `dbbuild status`"));
    }
    Ok(())
}

fn refuse_unknown(version: &Version, checkout: &Checkout) -> Result<(), Refusal> {
    let base = checkout.base.as_ref().map(|base| &base.version);
    if base == Some(version) || checkout.scripts.iter().any(|script| script.version == *version) {
        return Ok(());
    }
    let mut refusal = Refusal::new("adopt/no-such-version", format!("there is no script of version {version}"));
    if let Some(below) = checkout.scripts.iter().rfind(|script| script.version < *version) {
        refusal = refusal.hint(format!("the newest one before it is {}: {}", below.version, below.file));
    }
    Err(refusal.hint("`dbbuild plan --from-scripts` lists them"))
}

/// What drift ignores, and the tables that other tools keep their own journals in.
fn ignored(site: &Site<'_>) -> Result<Patterns, Error> {
    let own = site.project.settings.drift.ignore.iter().map(String::as_str);
    // SQLite's names are folded.
    let names = Tool::tables().flat_map(|table| [table.to_owned(), format!("\"{table}\""), table.to_ascii_lowercase()]);
    let tables: BTreeSet<String> =
        names.flat_map(|table| [format!("table {table}"), format!("table *.{table}")]).collect();
    let places = ["schema grate", "* grate.*"];
    let parts: Vec<String> = Tool::tables().map(|table| format!("* {{public.,}}{table}_*_seq")).collect();
    let all = own.chain(tables.iter().map(String::as_str)).chain(parts.iter().map(String::as_str)).chain(places);
    Patterns::new(all).map_err(|error| {
        crate::project::SettingsError::new("settings/drift", format!("a pattern of what drift ignores: {error}")).into()
    })
}
