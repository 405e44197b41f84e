//! The first half of a build: what the database is to the checkout, and what there is to do. Writes nothing.

use super::baseline::Worth;
use super::discover::{Checkout, Seed, SeedForm, discover};
use super::load::{Reading, load};
use super::plan::{self, Note, Plan, Wish, first_mark};
use super::{Refusal, Site, baseline, code};
use crate::engine::{Access, EngineError, Inspection};
use crate::error::Error;
use crate::journal::{Kind, Reconciled, reconcile};
use crate::project::{Project, SETTINGS, SettingsError};
use crate::script::token_checksum;

/// What a database is to a checkout, and what a build would do.
#[derive(Debug)]
pub struct Survey {
    /// The checkout.
    pub checkout: Checkout,
    /// The database.
    pub inspection: Inspection,
    /// Scripts against the journal.
    pub reconciled: Reconciled,
    /// What a build would do, or why it would not.
    pub plan: Result<Plan, Refusal>,
    /// False if the database itself is not there.
    pub exists: bool,
}

/// Looks at the checkout and the database, and plans. Writes nothing, creates nothing.
pub fn survey(site: &Site<'_>, wish: &Wish) -> Result<Survey, Error> {
    // The files and the database are looked at side by side: most builds do nothing else.
    let (checkout, inspected) = std::thread::scope(|scope| {
        let files = scope.spawn(|| discover(site.project, site.engine.dialect()));
        let inspected = inspect(site);
        (files.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), inspected)
    });
    let checkout = checkout?;
    refuse_no_project(site.project, &checkout)?;
    let (inspection, exists) = inspected?;
    let (reconciled, plan) = plan_for(site, &checkout, &inspection, wish)?;
    Ok(Survey { checkout, inspection, reconciled, plan, exists })
}

/// Looks at the database; false if it is not there.
pub fn inspect(site: &Site<'_>) -> Result<(Inspection, bool), EngineError> {
    match site.engine.connect(Access::Read) {
        Ok(mut session) => {
            let inspection = session.inspect(&site.project.name)?;
            if site.ends {
                session.leave();
            }
            Ok((inspection, true))
        }
        Err(EngineError::NoDatabase { .. }) => Ok((Inspection::empty(), false)),
        Err(other) => Err(other),
    }
}

/// Refuses a folder that is no project: whoever stands in the wrong folder does not want an empty database.
pub fn refuse_no_project(project: &Project, checkout: &Checkout) -> Result<(), SettingsError> {
    let is_empty =
        checkout.scripts.is_empty() && checkout.base.is_none() && checkout.code.is_empty() && checkout.seeds.is_empty();
    if !is_empty || project.files.has(SETTINGS) {
        return Ok(());
    }
    let folder = project.files.root().map(|root| root.display().to_string()).unwrap_or_default();
    let scripts = project.scripts_folder(checkout.dialect);
    Err(SettingsError::new(
        "settings/no-project",
        format!("there is nothing to build in {folder}: no {SETTINGS}, no scripts in {scripts}/"),
    )
    .hint("start a project here with `dbbuild init`, or name the project's folder with `--project DIR`"))
}

/// Compares the checkout with what a database was found to hold, and plans what the wish asks for.
pub fn plan_for(
    site: &Site<'_>,
    checkout: &Checkout,
    inspection: &Inspection,
    wish: &Wish,
) -> Result<(Reconciled, Result<Plan, Refusal>), Error> {
    let entries = inspection.journal.as_deref().unwrap_or_default();
    let layout = Some(site.project.layout());
    let reading = Reading { dialect: checkout.dialect, layout, variables: None };
    let tokens = |index: usize| -> Result<_, Error> {
        let text = load(site.project, &checkout.scripts[index].file, reading)?.text;
        Ok(token_checksum(text.as_str(), checkout.dialect))
    };
    let reconciled = reconcile(&checkout.scripts, checkout.squashed(), entries, tokens)?;
    // Their order counts where some of them run.
    let due = plan::due(&checkout.code, entries);
    let order = (!due.is_empty()).then(|| checkout.code_order(site.project, Some(&due))).transpose()?;
    let code = order.as_ref().map_or(&checkout.code, |order| &order.files);
    let half_loaded = plan::is_half_loaded(entries);
    let worth =
        baseline::worth(site.project, checkout, half_loaded || (inspection.is_untouched() && !wish.from_scripts));
    let described = site.engine.describe();
    let seeds = seeds_here(site, checkout, inspection)?;
    let facts = plan::Facts {
        project: &site.project.name,
        checkout,
        code,
        code_folder: &site.project.code_folder(),
        seeds: &seeds,
        inspection,
        reconciled: &reconciled,
        target: site.target,
        described: &described,
        is_local: site.engine.is_local(),
        policy: &site.project.settings.policy,
        damage: match &checkout.base {
            Some(base) if !entries.iter().any(|entry| entry.kind == Kind::Script) => base.damage(site.project),
            Some(_) | None => None,
        },
        baseline_folder: &site.project.baseline_folder(checkout.dialect),
        baseline_belongs: matches!(worth, Worth::Belongs { .. }) || site.project.files.root().is_none(),
        baseline_loads: match worth {
            // An empty inspection is of a database that is not there yet, whose engine is this program's.
            Worth::Belongs { server } => inspection.major == 0 || inspection.major >= server,
            Worth::Stale | Worth::Untrusted => false,
        },
        baseline_checksum: half_loaded.then(|| baseline::checksum(site.project, checkout.dialect)).flatten(),
        wish,
    };
    let mut plan = plan::plan(&facts);
    if let Ok(plan) = &mut plan
        && entries.iter().any(|entry| entry.kind == crate::journal::Kind::Code)
    {
        code::warn_of_absence(site.project, checkout.dialect, plan)?;
    }
    if let (Ok(plan), Worth::Untrusted) = (&mut plan, worth) {
        let message =
            "the baseline's files are not those of its manifest (a merge by hand?): building from the scripts"
                .to_owned();
        plan.notes.push(Note { code: "baseline-untrusted".into(), message });
    }
    Ok((reconciled, plan))
}

/// Returns the seeds that are for this database. Those of its environment may use the target's variables, so
/// their checksum is that of the text with the values in it.
fn seeds_here(site: &Site<'_>, checkout: &Checkout, inspection: &Inspection) -> Result<Vec<Seed>, Error> {
    let environment = match (&inspection.mark, &inspection.journal) {
        (Some(mark), _) => Some(mark.environment.clone()),
        (None, None) => first_mark(site.target, site.engine.is_local()).map(|mark| mark.environment),
        (None, Some(_)) => None,
    };
    seeds_of(site, checkout, environment.as_deref())
}

/// Returns the seeds that are for databases of an environment.
pub fn seeds_of(site: &Site<'_>, checkout: &Checkout, environment: Option<&str>) -> Result<Vec<Seed>, Error> {
    let mut seeds = Vec::new();
    for seed in &checkout.seeds {
        let mut seed = seed.clone();
        if seed.environment.is_some() {
            if seed.environment.as_deref() != environment {
                continue;
            }
            if seed.form == SeedForm::Sql {
                let reading =
                    Reading { dialect: checkout.dialect, layout: None, variables: Some(&site.target.variables) };
                seed.source.checksum = load(site.project, &seed.source.file, reading)?.text.checksum();
            }
        }
        seeds.push(seed);
    }
    Ok(seeds)
}
