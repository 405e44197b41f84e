//! What `lint` reads: the project's files in the order in which they run, with what git and the settings say of each.

use std::collections::BTreeSet;

use crate::build::{Checkout, Reading, SeedForm, collect, discover_with_twins, in_parallel, load};
use crate::cli::Context;
use crate::error::Error;
use crate::lint::{Role, Source};
use crate::numbering::Elsewhere;
use crate::project::settings::Value;
use crate::project::{Address, Project, SettingsError};
use crate::script::{Directive, Fault, Script, Version};
use crate::sql::{Dialect, Tokens};

/// The sources of one dialect.
pub struct Gathered {
    /// The grammar.
    pub dialect: Dialect,
    /// In the order in which they run.
    pub sources: Vec<Source>,
    /// For each source, whether a fix may write it.
    pub writable: Vec<bool>,
    /// For each source, whether findings in it were asked for.
    pub wanted: Vec<bool>,
}

/// What was asked for.
pub struct Wanted<'a> {
    /// Files or folders, relative to the project; none is everything.
    pub paths: Vec<String>,
    /// History and merged scripts too.
    pub all: bool,
    /// What changed since a commit.
    pub since: Option<&'a str>,
}

/// Reads the project, once for each of its dialects.
pub fn gather(context: &Context, project: &Project, wanted: &Wanted<'_>) -> Result<Vec<Gathered>, Error> {
    let elsewhere = Elsewhere::of(project);
    let merged = match &elsewhere {
        Some(elsewhere) => merged(elsewhere)?,
        None => BTreeSet::new(),
    };
    let changed = match (&elsewhere, wanted.since) {
        (Some(elsewhere), Some(since)) => Some(changed(elsewhere, since)?),
        (None, Some(_)) => return Err(no_repository()),
        (_, None) => None,
    };
    let dialects = dialects(context, project, wanted);
    let mut all = Vec::new();
    for dialect in dialects {
        all.push(of_dialect(project, dialect, wanted, &merged, changed.as_ref())?);
    }
    Ok(all)
}

fn no_repository() -> Error {
    SettingsError::new("usage/since", "`--since` needs a git repository, and the project is in none")
        .hint("leave it out: everything is looked at")
        .into()
}

fn of_dialect(
    project: &Project,
    dialect: Dialect,
    wanted: &Wanted<'_>,
    merged: &BTreeSet<String>,
    changed: Option<&BTreeSet<String>>,
) -> Result<Gathered, Error> {
    let mut gathered = Gathered { dialect, sources: Vec::new(), writable: Vec::new(), wanted: Vec::new() };
    let (checkout, twins) = match discover_with_twins(project, dialect) {
        Ok((checkout, twins)) => (Some(checkout), twins),
        // Files that were named can be read by themselves.
        Err(error) if wanted.paths.is_empty() => return Err(error),
        Err(_) => (None, Vec::new()),
    };
    if let Some(checkout) = &checkout {
        for (file, text) in base_schema(project, checkout) {
            gathered.push(Source { file, text, exempt: true, ..Source::default() }, false);
        }
        gathered.scripts(project, checkout, &twins, wanted, merged)?;
        gathered.code_and_seeds(project, checkout)?;
    }
    let is_changed = |file: &str| changed.is_none_or(|changed| changed.contains(file));
    let is_wanted =
        |source: &Source| source.fills.is_none() && wanted.is_named(&source.file) && is_changed(&source.file);
    gathered.wanted = gathered.sources.iter().map(is_wanted).collect();
    let seen: BTreeSet<&str> = gathered.sources.iter().map(|source| source.file.as_str()).collect();
    for path in alone(project, wanted, &seen, dialect) {
        let loaded = load(project, &path, Reading { dialect, layout: None, variables: None })?;
        gathered.wanted.push(is_changed(&path));
        let is_writable = wanted.all || !merged.contains(&path);
        gathered.push(Source { file: path, text: loaded.text.as_str().to_owned(), ..Source::default() }, is_writable);
    }
    Ok(gathered)
}

impl Gathered {
    fn push(&mut self, source: Source, is_writable: bool) {
        self.sources.push(source);
        self.writable.push(is_writable);
    }

    fn scripts(
        &mut self,
        project: &Project,
        checkout: &Checkout,
        twins: &[Fault],
        wanted: &Wanted<'_>,
        merged: &BTreeSet<String>,
    ) -> Result<(), Error> {
        let history: Option<Version> = project.settings.project.history.as_deref().and_then(|text| text.parse().ok());
        let is_merged = |script: &&Script| merged.contains(&script.file);
        let newest = checkout.scripts.iter().filter(is_merged).map(|script| &script.version).max();
        let reading = Reading { dialect: self.dialect, layout: Some(project.layout()), variables: None };
        let texts = in_parallel(&checkout.scripts, |script, _| load(project, &script.file, reading));
        for (script, loaded) in checkout.scripts.iter().zip(collect(texts)?) {
            let said = project.script_directives(&script.version);
            let is_history = history.as_ref().is_some_and(|history| script.version <= *history);
            let is_merged = is_merged(&script);
            let late = newest.filter(|newest| !is_merged && script.version < **newest);
            let source = Source {
                file: script.file.clone(),
                text: loaded.text.as_str().to_owned(),
                role: Role::Script,
                exempt: is_history && !wanted.all,
                no_transaction: loaded.no_transaction || said.contains(&Directive::NoTransaction),
                late: late.map(ToString::to_string),
                twin: twins.iter().find(|twin| twin.file == script.file).map(|twin| twin.message.clone()),
                fills: None,
            };
            self.push(source, wanted.all || !is_history && !is_merged);
        }
        Ok(())
    }

    fn code_and_seeds(&mut self, project: &Project, checkout: &Checkout) -> Result<(), Error> {
        let code = checkout.code.iter().map(|source| (&source.file, Role::Code));
        let seeds = checkout.seeds.iter().filter(|seed| seed.form == SeedForm::Sql);
        let files: Vec<_> = code.chain(seeds.map(|seed| (&seed.source.file, Role::Seed))).collect();
        let reading = Reading { dialect: self.dialect, layout: None, variables: None };
        let texts = in_parallel(&files, |(file, _), _| load(project, file, reading));
        for ((file, role), loaded) in files.into_iter().zip(collect(texts)?) {
            let (file, text) = (file.clone(), loaded.text.as_str().to_owned());
            self.push(Source { file, text, role, ..Source::default() }, true);
        }
        for seed in &checkout.seeds {
            let SeedForm::Rows { table, .. } = &seed.form else { continue };
            let fills = Tokens::of(table, self.dialect).eat_name().map(|(name, _)| name);
            let file = seed.source.file.clone();
            self.push(Source { file, role: Role::Seed, exempt: true, fills, ..Source::default() }, false);
        }
        Ok(())
    }
}

impl Wanted<'_> {
    /// Returns true if a file was asked for, by its name or that of a folder.
    fn is_named(&self, file: &str) -> bool {
        let holds = |path: &String| {
            let rest = file.strip_prefix(path.as_str());
            path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.paths.is_empty() || self.paths.iter().any(holds)
    }
}

/// Returns the schema that the base makes, which later scripts meet. Where the old scripts are still there, they
/// tell it themselves.
fn base_schema(project: &Project, checkout: &Checkout) -> Vec<(String, String)> {
    let Some(base) = &checkout.base else { return Vec::new() };
    if checkout.scripts.iter().any(|script| checkout.is_squashed(script)) {
        return Vec::new();
    }
    // What comes before the rows sorts behind what comes after them.
    let files = base.files.keys().rev().filter(|file| file.ends_with(".sql") && !file.starts_with("data/"));
    let read = |file: &String| {
        let path = format!("{}/{file}", base.folder);
        let text = project.files.read(&path).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        text.map(|text| (path, text))
    };
    files.filter_map(read).collect()
}

/// Files that were named and are no part of the project.
fn alone(project: &Project, wanted: &Wanted<'_>, seen: &BTreeSet<&str>, dialect: Dialect) -> Vec<String> {
    let mut found = Vec::new();
    for path in &wanted.paths {
        if project.files.has(path) {
            found.push(path.clone());
        } else {
            let below = project.files.walk(path).into_iter().map(|found| found.path);
            found.extend(below.filter(|path| path.ends_with(".sql") && !path.ends_with(".down.sql")));
        }
    }
    let other = match dialect {
        Dialect::Postgres => ".sqlite.sql",
        Dialect::Sqlite => ".postgres.sql",
    };
    found.retain(|path| !seen.contains(path.as_str()) && !path.ends_with(other));
    found.dedup();
    found
}

/// The project's files that the main branch has.
fn merged(elsewhere: &Elsewhere<'_>) -> Result<BTreeSet<String>, Error> {
    let Some(branch) = elsewhere.main_branch() else { return Ok(BTreeSet::new()) };
    let prefix = elsewhere.in_repository("");
    let folder = if prefix.is_empty() { "." } else { prefix.trim_end_matches('/') };
    let files = elsewhere.repository().files(&branch, folder)?;
    Ok(files.iter().filter_map(|file| file.strip_prefix(&prefix)).map(str::to_owned).collect())
}

/// The project's files that changed since a commit's branch point, those git does not know yet included.
fn changed(elsewhere: &Elsewhere<'_>, since: &str) -> Result<BTreeSet<String>, Error> {
    let repository = elsewhere.repository();
    let base = repository.ask(&["merge-base", since, "HEAD"])?;
    let tracked = repository.ask(&["diff", "--name-only", "-z", "--diff-filter=d", base.trim(), "--"])?;
    let untracked = repository.ask(&["ls-files", "-z", "--others", "--exclude-standard"])?;
    let prefix = elsewhere.in_repository("");
    let files = tracked.split('\0').chain(untracked.split('\0')).filter(|file| !file.is_empty());
    Ok(files.filter_map(|file| file.strip_prefix(&prefix)).map(str::to_owned).collect())
}

/// The dialects of the project: as the settings say, else those of the targets and the URL, else what the texts
/// look like.
fn dialects(context: &Context, project: &Project, wanted: &Wanted<'_>) -> Vec<Dialect> {
    let mut found = BTreeSet::new();
    if let Some(engines) = &project.settings.project.engines {
        found.extend(engines.iter().map(|engine| Dialect::from(*engine)));
    } else {
        for target in project.settings.targets.values() {
            if let Some(Value::Plain(url)) = &target.url {
                found.insert(of_url(url));
            } else if let Ok((target, _)) = project.target(&context.selection(), &context.host) {
                found.insert(of_address(&target.address));
            }
        }
        if found.is_empty()
            && let Ok((target, _)) = project.target(&context.selection(), &context.host)
        {
            found.insert(of_address(&target.address));
        }
    }
    if found.is_empty() {
        found.insert(looks_like(project, wanted));
    }
    found.into_iter().collect()
}

fn of_url(url: &str) -> Dialect {
    if url.trim_start().starts_with("sqlite") { Dialect::Sqlite } else { Dialect::Postgres }
}

fn of_address(address: &Address) -> Dialect {
    match address {
        Address::Postgres(_) => Dialect::Postgres,
        Address::Sqlite(_) => Dialect::Sqlite,
    }
}

/// Words that only SQLite's scripts have.
const SQLITE_WORDS: [&str; 6] = ["pragma ", "autoincrement", "sqlite_", "without rowid", "strftime(", "randomblob("];

fn looks_like(project: &Project, wanted: &Wanted<'_>) -> Dialect {
    let folder = project.scripts_folder(Dialect::Postgres);
    let walked = project.files.walk(folder).into_iter().map(|found| found.path);
    let files: Vec<String> = walked.chain(wanted.paths.iter().cloned()).filter(|path| path.ends_with(".sql")).collect();
    let is_sqlite = in_parallel(&files, |path, _| {
        let text = project.files.read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).to_ascii_lowercase();
        SQLITE_WORDS.iter().any(|word| text.contains(word))
    });
    if is_sqlite.contains(&true) { Dialect::Sqlite } else { Dialect::Postgres }
}
