//! The first stage: what is in the checkout. Files become scripts in the order of their versions, code objects
//! and seeds, each with its checksum and without its text, or everything that is wrong with them.

mod files;
mod scripts;
mod seeds;
mod sheet;

use super::load::{Reading, load};
use crate::error::Error;
use crate::project::{Base, Project};
use crate::script::{Fault, Script, ScriptErrors, Source, Squashed, Version};
use crate::sql::Dialect;

use files::Ignore;

pub use seeds::{Seed, SeedForm};
pub use sheet::checksum as rows_checksum;

/// What a checkout holds for one engine.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// The engine's grammar.
    pub dialect: Dialect,
    /// The scripts, in the order of their versions.
    pub scripts: Vec<Script>,
    /// Versions that have a script of another engine: they can be built to here too.
    pub elsewhere: Vec<Version>,
    /// What stands for scripts that were squashed, if there is one.
    pub base: Option<Base>,
    /// The files of the code objects, sorted by path.
    pub code: Vec<Source>,
    /// The seeds of every environment, in order.
    pub seeds: Vec<Seed>,
    /// The test data, in order.
    pub test_data: Vec<Seed>,
}

impl Checkout {
    /// Returns the scripts that a base stands for.
    pub fn squashed(&self) -> &[Squashed] {
        self.base.as_ref().map_or(&[], |base| base.scripts.as_slice())
    }

    /// Returns true for a script that the base stands for, word by word.
    pub fn is_squashed(&self, script: &Script) -> bool {
        let squashed = self.base.as_ref().and_then(|base| base.of(&script.version));
        squashed.is_some_and(|squashed| squashed.checksum == script.checksum)
    }

    /// Returns the same scripts and nothing else that runs.
    #[must_use]
    pub fn scripts_alone(self) -> Self {
        Self { code: Vec::new(), seeds: Vec::new(), test_data: Vec::new(), ..self }
    }

    /// Returns the newest version that a build comes to.
    pub fn newest(&self) -> Option<&Version> {
        let base = self.base.as_ref().map(|base| &base.version);
        self.scripts.last().map(|script| &script.version).max(base)
    }
}

/// Reads the checkout for one engine.
pub fn discover(project: &Project, dialect: Dialect) -> Result<Checkout, Error> {
    read(project, dialect, None)
}

/// Reads it with both of two scripts of one version, which a build refuses; these faults are returned beside it.
pub fn discover_with_twins(project: &Project, dialect: Dialect) -> Result<(Checkout, Vec<Fault>), Error> {
    let mut twins = Vec::new();
    let checkout = read(project, dialect, Some(&mut twins))?;
    Ok((checkout, twins))
}

fn read(project: &Project, dialect: Dialect, twins: Option<&mut Vec<Fault>>) -> Result<Checkout, Error> {
    let mut faults = Vec::new();
    let ignore = Ignore::new(project)?;
    let scripts::Found { named, code: code_files, elsewhere } =
        scripts::find(project, dialect, &ignore, &mut faults, twins);
    let (seed_files, test_files) = seeds::find(project, dialect, &ignore, &mut faults);
    if !faults.is_empty() {
        return Err(ScriptErrors(faults).into());
    }
    let reading = Reading { dialect, layout: Some(project.layout()), variables: None };
    let files: Vec<&str> = named.iter().map(|named| named.file.as_str()).collect();
    let checksums = in_parallel(&files, |file| load(project, file, reading).map(|loaded| loaded.text.checksum()));
    let scripts = named.iter().zip(collect(checksums)?).map(|(named, checksum)| Script {
        version: named.name.version.clone(),
        name: named.name.name.clone(),
        file: named.file.clone(),
        checksum,
        down: named.down.clone(),
    });
    let scripts = scripts.collect();
    let reading = Reading { dialect, layout: None, variables: None };
    let names: Vec<&str> = code_files.iter().map(String::as_str).collect();
    let checksums = in_parallel(&names, |file| load(project, file, reading).map(|loaded| loaded.text.checksum()));
    let code = code_files.iter().zip(collect(checksums)?);
    let code = code.map(|(file, checksum)| Source { file: file.clone(), checksum }).collect();
    let seeds = seeds::read(project, dialect, seed_files)?;
    let test_data = seeds::read(project, dialect, test_files)?;
    let base = Base::read(project, dialect)?;
    Ok(Checkout { dialect, scripts, elsewhere, base, code, seeds, test_data })
}

/// Maps files in the order given, on every core.
fn in_parallel<T: Send>(
    files: &[&str],
    map: impl Fn(&str) -> Result<T, ScriptErrors> + Sync,
) -> Vec<Result<T, ScriptErrors>> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if files.len() < 64 || threads < 2 {
        return files.iter().map(|file| map(file)).collect();
    }
    let map = &map;
    std::thread::scope(|scope| {
        let chunks = files.chunks(files.len().div_ceil(threads));
        let workers: Vec<_> =
            chunks.map(|chunk| scope.spawn(move || chunk.iter().map(|file| map(file)).collect::<Vec<_>>())).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Gathers results, or everything that is wrong.
fn collect<T>(results: Vec<Result<T, ScriptErrors>>) -> Result<Vec<T>, ScriptErrors> {
    let (mut values, mut faults) = (Vec::with_capacity(results.len()), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(errors) => faults.extend(errors.0),
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(ScriptErrors(faults)) }
}
