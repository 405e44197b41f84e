//! Which files are seeds, of which environment, in which order.

use super::files::{Ignore, serves, usable};
use super::sheet;
use crate::build::load::{Reading, load};
use crate::engine::SeedMode;
use crate::project::Project;
use crate::script::{Checksum, Fault, ScriptErrors, Source, Version};
use crate::sql::Dialect;

/// A seed's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The file and its checksum (the sidecar's text included).
    pub source: Source,
    /// The environment it is for; `None` for each.
    pub environment: Option<String>,
    /// How it is brought in.
    pub form: SeedForm,
}

/// How a seed is brought in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeedForm {
    /// As a script.
    Sql,
    /// As rows of a table.
    Rows {
        /// The table, as written.
        table: String,
        /// The columns that identify a row; empty for the table's primary key.
        key: Vec<String>,
        /// How rows that are there already are treated.
        mode: SeedMode,
        /// The text that means NULL.
        null: Option<String>,
    },
}

/// A file that is a seed by its place.
pub struct SeedFile {
    file: String,
    environment: Option<String>,
    order: (u8, Option<Version>, String),
}

/// Returns the seeds, and the test data, each in the order in which they run.
pub fn find(
    project: &Project,
    dialect: Dialect,
    ignore: &Ignore,
    faults: &mut Vec<Fault>,
) -> (Vec<SeedFile>, Vec<SeedFile>) {
    let folder = project.seed_folder();
    let (mut seeds, mut test_data) = (Vec::new(), Vec::new());
    for file in usable(project.files.walk(folder), &["sql", "csv"], ignore, faults) {
        if !serves(&file, dialect, faults) {
            continue;
        }
        let inside = file.strip_prefix(folder).unwrap_or(&file).trim_start_matches('/').to_owned();
        let first = inside.split_once('/').map(|(first, _)| first);
        let environment = first.and_then(|first| first.strip_prefix('@')).map(str::to_owned);
        let name = inside.rsplit('/').next().unwrap_or(&inside).to_owned();
        let version = Version::split(&name).ok().map(|(version, _)| version);
        let is_test = first == Some("test");
        let order = (u8::from(environment.is_some()), version, inside.clone());
        let seed = SeedFile { file, environment, order };
        if is_test { test_data.push(seed) } else { seeds.push(seed) }
    }
    seeds.sort_by(|a, b| a.order.cmp(&b.order));
    test_data.sort_by(|a, b| a.order.cmp(&b.order));
    (seeds, test_data)
}

/// Reads their checksums and sidecars.
pub fn read(project: &Project, dialect: Dialect, files: Vec<SeedFile>) -> Result<Vec<Seed>, ScriptErrors> {
    let reading = Reading { dialect, layout: None, variables: None };
    let source = |seed: SeedFile| -> Result<Seed, ScriptErrors> {
        let (checksum, form) = if seed.file.to_ascii_lowercase().ends_with(".csv") {
            sheet::read(project, &seed.file)?
        } else {
            // An environment's variables are known only at the target, so its seeds count as they are written.
            let text = match seed.environment {
                Some(_) => {
                    Checksum::of_bytes(&project.files.read(&seed.file).map_err(|error| unreadable(&seed.file, &error))?)
                }
                None => load(project, &seed.file, reading)?.text.checksum(),
            };
            (text, SeedForm::Sql)
        };
        Ok(Seed { source: Source { file: seed.file, checksum }, environment: seed.environment, form })
    };
    files.into_iter().map(source).collect()
}

/// The fault of a file that the operating system does not give.
pub fn unreadable(file: &str, error: &std::io::Error) -> Fault {
    Fault::new("seed/unreadable", file, format!("cannot be read: {error}")).hint("make it readable")
}
