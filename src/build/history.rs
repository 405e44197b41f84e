//! Everything that a fresh build runs, in its order, as units: for whoever runs them in another way than a build does.

use super::load::{Reading, load_down};
use super::unit::{Planned, of_loaded, planned_file, planned_script, row_seed, unit};
use super::{Checkout, Seed, SeedForm, Site};
use crate::engine::{RowSeed, Unit};
use crate::error::Error;
use crate::journal::Kind;
use crate::script::{Script, ScriptErrors, Version};

/// One file of a history.
#[derive(Debug, Clone)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// A script's version.
    pub version: Option<Version>,
    /// The file.
    pub file: String,
    /// What is run.
    pub work: Work,
    /// How a script is taken back, if it says so.
    pub down: Option<Unit>,
    /// What is wrong with the text of that, if something is: no build ever reads it.
    pub down_fault: Option<ScriptErrors>,
}

/// What is run.
#[derive(Debug, Clone)]
pub enum Work {
    /// A text.
    Text(Unit),
    /// A CSV file.
    Rows(RowSeed),
}

impl Item {
    /// Returns the text that is run.
    pub fn unit(&self) -> Option<&Unit> {
        match &self.work {
            Work::Text(unit) => Some(unit),
            Work::Rows(_) => None,
        }
    }
}

/// Makes the scripts, the code objects in the order of their references, the seeds (those of one environment too)
/// and the test data.
pub fn history(site: &Site<'_>, checkout: &Checkout, environment: Option<&str>) -> Result<Vec<Item>, Error> {
    let mut items = Vec::new();
    // What a base stands for is there before the first item.
    for script in checkout.scripts.iter().filter(|script| !checkout.is_squashed(script)) {
        items.push(of_script(site, checkout, script)?);
    }
    for source in &checkout.code_order(site.project, None)?.files {
        let planned = planned_file(Kind::Code, &source.file, &source.checksum, 0);
        let unit = unit(site.project, site.target, checkout.dialect, &planned)?;
        items.push(Item {
            kind: Kind::Code,
            version: None,
            file: source.file.clone(),
            work: Work::Text(unit),
            down: None,
            down_fault: None,
        });
    }
    let here = |seed: &&Seed| seed.environment.as_deref().is_none_or(|name| Some(name) == environment);
    for seed in checkout.seeds.iter().filter(here) {
        items.push(of_seed(site, checkout, seed, Kind::Seed)?);
    }
    for seed in &checkout.test_data {
        items.push(of_seed(site, checkout, seed, Kind::TestData)?);
    }
    for unit in items.iter().filter_map(Item::unit) {
        site.engine.judge(unit)?;
    }
    Ok(items)
}

/// Makes a script's item.
pub fn of_script(site: &Site<'_>, checkout: &Checkout, script: &Script) -> Result<Item, Error> {
    let planned = planned_script(&script.version, &script.name, &script.file, &script.checksum, 0);
    let up = unit(site.project, site.target, checkout.dialect, &planned)?;
    let reading = Reading { dialect: checkout.dialect, layout: Some(site.project.layout()), variables: None };
    let loaded = load_down(site.project, &script.file, script.down.as_deref(), reading);
    let made = loaded.map_err(Error::from).and_then(|loaded| {
        let Some(loaded) = loaded else { return Ok(None) };
        let checksum = loaded.text.checksum();
        // The directives that the settings give a script are about the script.
        let planned = Planned { kind: Kind::Down, version: None, checksum: &checksum, ..planned };
        of_loaded(site.project, checkout.dialect, &planned, loaded).map(Some)
    });
    let (down, down_fault) = match made {
        Ok(down) => (down, None),
        Err(Error::Scripts(faults)) => (None, Some(faults)),
        Err(other) => return Err(other),
    };
    Ok(Item {
        kind: Kind::Script,
        version: Some(script.version.clone()),
        file: script.file.clone(),
        work: Work::Text(up),
        down,
        down_fault,
    })
}

fn of_seed(site: &Site<'_>, checkout: &Checkout, seed: &Seed, kind: Kind) -> Result<Item, Error> {
    let file = seed.source.file.clone();
    if let Some(rows) = row_seed(site.project, seed, kind, 0) {
        return Ok(Item { kind, version: None, file, work: Work::Rows(rows), down: None, down_fault: None });
    }
    let of_environment = seed.environment.is_some();
    let mut planned = planned_file(kind, &file, &seed.source.checksum, 0);
    planned.of_environment = of_environment;
    let checksum = match (of_environment, &seed.form) {
        (true, SeedForm::Sql) => {
            let variables = Some(&site.target.variables);
            let reading = Reading { dialect: checkout.dialect, layout: None, variables };
            super::load(site.project, &file, reading)?.text.checksum()
        }
        _ => seed.source.checksum.clone(),
    };
    planned.checksum = &checksum;
    let unit = unit(site.project, site.target, checkout.dialect, &planned)?;
    Ok(Item { kind, version: None, file, work: Work::Text(unit), down: None, down_fault: None })
}
