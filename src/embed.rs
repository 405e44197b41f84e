//! A project inside the program: what `build.rs` writes, and what it becomes again.
//!
//! The macros read the build script's own variables and print its lines for cargo; the functions below do neither.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::build::{Checkout, Reading, discover, load};
use crate::error::Error;
use crate::project::{Address, EngineName, Project, SETTINGS, Selection, SettingsError};
use crate::script::{Directive, Fault, ScriptErrors, cut, directives};
use crate::sql::Dialect;

mod macros;

/// The file that `embed!` writes and `embedded!` includes.
pub const FILE: &str = "dbbuild_embedded.rs";

/// Opens what `embed!` has written; for the code that it writes.
#[doc(hidden)]
pub fn project(name: &str, files: &'static [(&'static str, &'static [u8])]) -> Result<Project, SettingsError> {
    let mut project = Project::embedded(files)?;
    // Without one in the settings the name is the folder's, which the program does not have.
    name.clone_into(&mut project.name);
    Ok(project)
}

/// Checks a project and writes the code that holds it; returns the lines that a build script prints for cargo.
pub fn write(folder: &Path, out: &Path) -> Vec<String> {
    match source(folder) {
        Ok(embedding) => {
            let mut lines = embedding.watched;
            let file = out.join(FILE);
            if let Err(error) = std::fs::write(&file, embedding.source) {
                lines.push(cargo_error(&format!("{}: {error}", file.display())));
            }
            lines
        }
        Err(error) => {
            let mut lines = watched(folder, [SETTINGS, "db", "seed"].into_iter().map(str::to_owned));
            match &error {
                Error::Scripts(errors) => lines.extend(errors.0.iter().map(|fault| cargo_error(&fault.to_string()))),
                other => lines.push(cargo_error(&other.to_string())),
            }
            lines
        }
    }
}

/// A project as code.
#[derive(Debug, Clone)]
pub struct Embedding {
    /// An expression of type `Result<Project, SettingsError>`.
    pub source: String,
    /// Lines for cargo: what it must watch.
    pub watched: Vec<String>,
}

/// Reads and checks a project for each of its engines and returns the code that holds it: settings, scripts, code
/// objects and seeds; no test data and no baseline.
pub fn source(folder: &Path) -> Result<Embedding, Error> {
    let project = Project::open(folder)?;
    let mut files = BTreeSet::new();
    if project.files.has(SETTINGS) {
        files.insert(SETTINGS.to_owned());
    }
    let (dialects, are_said) = dialects(&project);
    let mut first = None;
    for dialect in &dialects {
        match gather(&project, *dialect, &mut files) {
            Ok(()) => {}
            // Where nothing says which engine the scripts are for, one that reads them all is enough.
            Err(error) if !are_said && first.is_none() => first = Some(error),
            Err(error) => return Err(first.unwrap_or(error)),
        }
    }
    let root = project.files.root().unwrap_or(folder).to_owned();
    let mut source = String::from("{\n    const FILES: &[(&str, &[u8])] = &[\n");
    // As a walk through the folder has them: component by component.
    let mut sorted: Vec<&String> = files.iter().collect();
    sorted.sort_by(|a, b| a.split('/').cmp(b.split('/')));
    for file in sorted {
        let path = root.join(file);
        let Some(path) = path.to_str() else {
            let message = "the path is not UTF-8, so no code can name it";
            return Err(ScriptErrors::from(
                Fault::new("embed/path", file, message).hint("rename the file or the folder it is in"),
            )
            .into());
        };
        writeln!(source, "        ({file:?}, include_bytes!({path:?})),").map_err(|error| io(folder, &error))?;
    }
    writeln!(source, "    ];\n    ::dbbuild::embed::project({:?}, FILES)\n}}", project.name)
        .map_err(|error| io(folder, &error))?;
    let folders = dialects.into_iter().map(|dialect| project.scripts_folder(dialect).to_owned());
    let folders = folders.chain([SETTINGS.to_owned(), project.code_folder(), project.seed_folder().to_owned()]);
    let mut lines = watched(&root, folders);
    // Included texts may stand anywhere in the project.
    lines.extend(watched(&root, files.into_iter()));
    lines.dedup();
    Ok(Embedding { source, watched: lines })
}

fn gather(project: &Project, dialect: Dialect, files: &mut BTreeSet<String>) -> Result<(), Error> {
    let checkout = discover(project, dialect)?;
    check(project, &checkout)?;
    collect(project, &checkout, files)
}

fn io(folder: &Path, error: &std::fmt::Error) -> Error {
    Error::Io { path: folder.to_owned(), source: std::io::Error::other(error.to_string()) }
}

/// Returns the engines that the settings name, else those of the targets, else both; and false for the last.
fn dialects(project: &Project) -> (Vec<Dialect>, bool) {
    if let Some(engines) = &project.settings.project.engines {
        return (engines.iter().copied().map(EngineName::into).collect(), true);
    }
    let host = crate::host::Host::default();
    let targets = project.settings.targets.keys();
    let found: BTreeSet<Dialect> = targets
        .filter_map(|name| {
            let selection = Selection { target: Some(name.clone()), url: None };
            project.target(&selection, &host).ok().map(|(target, _)| Address::dialect(&target.address))
        })
        .collect();
    match found.is_empty() {
        true => (vec![Dialect::Postgres, Dialect::Sqlite], false),
        false => (found.into_iter().collect(), true),
    }
}

/// Judges each text as a build would before it runs one.
fn check(project: &Project, checkout: &Checkout) -> Result<(), Error> {
    let dialect = checkout.dialect;
    let mut faults = Vec::new();
    let mut judge = |file: &str, is_script: bool, settings: &[Directive]| {
        let reading = Reading { dialect, layout: is_script.then(|| project.layout()), variables: None };
        let judged = load(project, file, reading).and_then(|loaded| {
            let mut settings = settings.to_vec();
            if loaded.no_transaction {
                settings.push(Directive::NoTransaction);
            }
            cut(&loaded.text, dialect, &settings).map(|_| ()).map_err(ScriptErrors)
        });
        if let Err(errors) = judged {
            faults.extend(errors.0);
        }
    };
    for script in &checkout.scripts {
        judge(&script.file, true, project.script_directives(&script.version));
    }
    for source in &checkout.code {
        judge(&source.file, false, &[]);
    }
    // Those of one environment may use the variables of its target, which are not known here.
    let everywhere = checkout.seeds.iter().filter(|seed| seed.environment.is_none());
    for seed in everywhere.filter(|seed| seed.form == crate::build::SeedForm::Sql) {
        judge(&seed.source.file, false, &[]);
    }
    if faults.is_empty() { Ok(()) } else { Err(ScriptErrors(faults).into()) }
}

/// Adds the files of a checkout, with what they include and the sidecars of CSV seeds.
fn collect(project: &Project, checkout: &Checkout, files: &mut BTreeSet<String>) -> Result<(), Error> {
    let mut open: Vec<String> = Vec::new();
    open.extend(checkout.scripts.iter().map(|script| script.file.clone()));
    open.extend(checkout.scripts.iter().filter_map(|script| script.down.clone()));
    open.extend(checkout.code.iter().map(|source| source.file.clone()));
    if let Some(base) = &checkout.base {
        open.push(base.manifest());
        // As they were written: nothing in them is a directive.
        files.extend(base.files.keys().map(|file| format!("{}/{file}", base.folder)));
    }
    for seed in &checkout.seeds {
        open.push(seed.source.file.clone());
        let sidecar = Path::new(&seed.source.file).with_extension("toml").to_string_lossy().into_owned();
        if project.files.has(&sidecar) {
            open.push(sidecar);
        }
    }
    let mut seen = BTreeSet::new();
    while let Some(file) = open.pop() {
        if !seen.insert(file.clone()) || !project.files.has(&file) {
            continue;
        }
        if file.ends_with(".sql") {
            let bytes = project.files.read(&file).map_err(|source| Error::Io { path: PathBuf::from(&file), source })?;
            let text = String::from_utf8_lossy(&bytes);
            let found = directives(&text, checkout.dialect);
            open.extend(found.into_iter().filter_map(|(_, body)| match Directive::parse(body) {
                Ok(Directive::Include(path)) => Some(path.trim_start_matches("./").to_owned()),
                _ => None,
            }));
        }
        files.insert(file);
    }
    Ok(())
}

/// Returns the lines that make cargo watch files and folders. One that is not there would make it build anew each
/// time.
fn watched(root: &Path, paths: impl Iterator<Item = String>) -> Vec<String> {
    let there = paths.map(|path| root.join(path)).filter(|path| path.exists());
    there.map(|path| format!("cargo::rerun-if-changed={}", path.display())).collect()
}

fn cargo_error(message: &str) -> String {
    format!("cargo::error={}", message.replace(['\n', '\r'], " "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn what_a_build_reads_is_embedded_and_nothing_else() {
        let folder = folder(&[
            ("dbbuild.toml", "[project]\nname = \"p\"\nengines = [\"sqlite\"]\n"),
            ("db/2_b.sql", "-- dbbuild: include shared/b.sql\n"),
            ("shared/b.sql", "-- dbbuild: include shared/deeper.sql\n"),
            ("shared/deeper.sql", "create table if not exists b (x);"),
            ("shared/unused.sql", "select 1;"),
            ("db/10_c.sql", "select 1;"),
            ("db/10_c.down.sql", "select 1;"),
            ("db/11_d.postgres.sql", "select 1;"),
            ("db/code/v.sql", "create view v as select 1;"),
            ("db/templates/new.sql", "-- {{name}}"),
            ("seed/1_b.csv", "x\n1\n"),
            ("seed/1_b.toml", "mode = \"upsert\"\n"),
            ("seed/@staging/2_b.sql", "select 1;"),
            ("seed/test/1_b.csv", "x\n2\n"),
            ("baseline/sqlite/schema.sql", "select 1;"),
        ]);
        let embedding = source(folder.path()).unwrap();
        let named = embedding.source.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next());
        let expected = [
            "db/10_c.down.sql",
            "db/10_c.sql",
            "db/2_b.sql",
            "db/code/v.sql",
            "dbbuild.toml",
            "seed/1_b.csv",
            "seed/1_b.toml",
            "seed/@staging/2_b.sql",
            "shared/b.sql",
            "shared/deeper.sql",
        ];
        assert_eq!(named.collect::<Vec<_>>(), expected);
        let lines = embedding.watched.join("\n") + "\n";
        for watched in ["db", "seed", "dbbuild.toml", "shared/deeper.sql"] {
            assert!(lines.contains(&format!("{}\n", folder.path().join(watched).display())), "{lines}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_script_is_an_error_of_cargo_with_its_place() {
        let folder = folder(&[
            ("dbbuild.toml", "[project]\nengines = [\"sqlite\"]\n"),
            ("db/1_a.sql", "select 1;\nselect 'open"),
            ("db/2_b.sql", "-- dbbuild: no-transactoin\nselect 1;"),
        ]);
        let lines = write(folder.path(), folder.path());
        let errors: Vec<&String> = lines.iter().filter(|line| line.starts_with("cargo::error=")).collect();
        assert_eq!(errors.len(), 2, "{lines:?}");
        assert!(errors[0].starts_with("cargo::error=db/1_a.sql:2:8:"), "{errors:?}");
        assert!(errors[1].contains("db/2_b.sql:1:1") && errors[1].contains("did you mean"), "{errors:?}");
        assert!(lines.iter().any(|line| line.starts_with("cargo::rerun-if-changed=")), "{lines:?}");
        assert!(!folder.path().join(FILE).exists());
    }

    #[test]
    fn without_settings_one_engine_that_reads_the_scripts_is_enough() {
        let only_sqlite = folder(&[("db/1_a.sql", "create table `it's` (x);")]);
        assert!(source(only_sqlite.path()).is_ok());
        let neither = folder(&[("db/1_a.sql", "select 'open")]);
        assert!(source(neither.path()).is_err());
    }
}
