//! The first stage: what is in the checkout. Files become scripts in the order of their versions, code objects
//! and seeds, each with its checksum and without its text, or everything that is wrong with them.

mod files;
mod scripts;
mod seeds;
mod sheet;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::code::{Order, order};
use super::load::{Reading, checksum};
use super::parallel::{collect, in_parallel};
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
    /// The orders of the code files, of all and of those that some reach, once somebody has asked for them.
    pub(crate) code_orders: [OnceLock<Arc<Order>>; 2],
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

    /// Returns the code files in the order in which they can run; with `due`, only these and what they reach are in
    /// order. They are read once.
    pub fn code_order(&self, project: &Project, due: Option<&BTreeSet<String>>) -> Result<Arc<Order>, ScriptErrors> {
        let due = due.filter(|due| due.len() < self.code.len());
        let known = &self.code_orders[usize::from(due.is_some())];
        let fits = |order: &&Arc<Order>| order.sources == self.code && order.due.as_ref() == due;
        if let Some(order) = known.get().filter(fits) {
            return Ok(Arc::clone(order));
        }
        let order = Arc::new(order(project, self.dialect, &self.code, due.cloned())?);
        // A copy of this checkout with other files keeps none: the order of these may be asked for again.
        let _ = known.set(Arc::clone(&order));
        Ok(order)
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
    let checksums = in_parallel(&named, |named, buffer| checksum(project, &named.file, reading, buffer));
    let scripts = named.into_iter().zip(collect(checksums)?).map(|(named, checksum)| Script {
        version: named.name.version,
        name: named.name.name,
        file: named.file,
        checksum,
        down: named.down,
    });
    let scripts = scripts.collect();
    let reading = Reading { dialect, layout: None, variables: None };
    let checksums = in_parallel(&code_files, |file, buffer| checksum(project, file, reading, buffer));
    let code = code_files.into_iter().zip(collect(checksums)?);
    let code = code.map(|(file, checksum)| Source { file, checksum }).collect();
    let seeds = seeds::read(project, dialect, seed_files)?;
    let test_data = seeds::read(project, dialect, test_files)?;
    let base = Base::read(project, dialect)?;
    Ok(Checkout { dialect, scripts, elsewhere, base, code, seeds, test_data, code_orders: Default::default() })
}
