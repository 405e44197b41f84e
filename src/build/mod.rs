//! The pipeline: discover, reconcile, plan, apply (scripts, code, seeds), baseline.
//!
//! `survey` is its first half and writes nothing; `build` is all of it. Nothing-to-do is decided before any lock,
//! in one query; what is to be done is planned again once the lock is held.

mod discover;
mod fresh;
mod history;
mod load;
mod note;
mod refusal;

mod apply;
mod base;
mod baseline;
mod code;
mod offline;
mod plan;
pub mod proof;
mod reach;
mod template;
mod test_data;
mod told;
mod unit;
mod units;

use std::time::{Duration, Instant};

pub use base::{begin as begin_with_base, entry as squashed_entry};
pub use baseline::{
    Digests, Held, Regenerated, Worth, checksum_of, collect_forgotten, files_below, stays as baseline_stays,
};
pub use code::run_all as run_code;
pub use discover::{Checkout, Seed, SeedForm, discover, discover_with_twins};
pub use fresh::{Fresh, Frozen, compare};
pub use history::{Item, Work, history};
pub use load::{Loaded, Reading, included, load};
pub use note::entry_without_running;
pub use offline::script as offline_script;
pub use plan::{
    Note, Plan, PlannedFile, PlannedScript, Step, Wish, damaged_base, first_mark, is_protected, refuse_other_mark,
};
pub use reach::{makes_roles, of_project as reaches_out, of_text as reaches_out_of, role_names};
pub use refusal::Refusal;
pub use test_data::{TestData, test_data};
pub use unit::{Planned, unit};

use crate::engine::{self, Access, Engine, EngineError, Inspection, Session, Wait};
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::journal::{Kind, Mark, Reconciled, Run, reconcile};
use crate::project::{Project, SETTINGS, SettingsError, Target};
use crate::script::{Version, token_checksum};

/// A project and the database it is built into.
#[derive(Clone)]
pub struct Site<'a> {
    /// The project.
    pub project: &'a Project,
    /// The target.
    pub target: &'a Target,
    /// The target's engine.
    pub engine: &'a dyn Engine,
    /// A wish to stop.
    pub interrupt: &'a Interrupt,
    /// What is the same for every entry that is written.
    pub run: Run,
    /// True if the target is protected, as far as is known.
    pub protected: bool,
}

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

impl Survey {
    /// Returns true if a build, before it refuses altered scripts, tries whether running them again can be proven right.
    pub fn is_to_be_proven(&self, site: &Site<'_>) -> bool {
        !site.protected && matches!(&self.plan, Err(refusal) if refusal.code == "journal/altered")
    }
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The newest applied version after it.
    pub version: Option<String>,
    /// The database's mark.
    pub mark: Option<Mark>,
    /// How many steps were done.
    pub steps: usize,
    /// How many notes were told before.
    pub notes: usize,
    /// How long it took.
    pub duration: Duration,
}

/// Opens a target's engine.
pub fn open(target: &Target, host: &Host, interrupt: &Interrupt) -> Result<Box<dyn Engine>, Error> {
    Ok(engine::open(target, host, interrupt)?)
}

impl<'a> Site<'a> {
    /// Joins a project with a target's engine.
    pub fn new(project: &'a Project, target: &'a Target, engine: &'a dyn Engine, interrupt: &'a Interrupt) -> Self {
        let run = Run {
            id: format!("{:016x}", fastrand::u64(..)),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            source_revision: None,
        };
        let protected = target.protected.unwrap_or(target.environment.as_deref() == Some("production"));
        Self { project, target, engine, interrupt, run, protected }
    }

    /// Returns this site with the checkout's commit in its run. Git is asked only when something is written.
    pub fn with_revision(&self) -> Self {
        let repository = self.project.files.root().and_then(crate::git::Repository::find);
        let source_revision = repository.and_then(|repository| repository.head());
        Self { run: Run { source_revision, ..self.run.clone() }, ..self.clone() }
    }
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
fn inspect(site: &Site<'_>) -> Result<(Inspection, bool), EngineError> {
    match site.engine.connect(Access::Read) {
        Ok(mut session) => Ok((session.inspect(&site.project.name)?, true)),
        Err(EngineError::NoDatabase { .. }) => Ok((Inspection::empty(), false)),
        Err(other) => Err(other),
    }
}

/// Refuses a folder that is no project: whoever stands in the wrong folder does not want an empty database.
fn refuse_no_project(project: &Project, checkout: &Checkout) -> Result<(), SettingsError> {
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

/// Brings the target to the state of the checkout. With `saved`, only if the plan that is made now for the same
/// wish is that one; `wish` is not asked.
pub fn build(site: &Site<'_>, wish: &Wish, saved: Option<&Plan>, observer: &mut dyn Observer) -> Result<Report, Error> {
    let wish = saved.map_or(wish, |plan| &plan.wish);
    let started = Instant::now();
    let mut survey = survey(site, wish)?;
    let mark = survey.inspection.mark.clone();
    let site = &Site {
        protected: is_protected(&survey.inspection, first_mark(site.target, site.engine.is_local()).as_ref()),
        ..site.clone()
    };
    observer.event(Event::Opened {
        project: site.project.name.clone(),
        target: site.engine.describe(),
        environment: mark.as_ref().map(|mark| mark.environment.clone()),
        protected: mark.as_ref().is_some_and(|mark| mark.protected),
        version: survey.reconciled.version.as_ref().map(ToString::to_string),
    });
    let mut proven = 0;
    if survey.is_to_be_proven(site)
        && saved.is_none()
        && let Err(refusal) = &survey.plan
    {
        proven = proof::rerun(&site.with_revision(), &survey, refusal.clone(), observer)?;
        survey = self::survey(site, wish)?;
    }
    let plan = survey.plan?;
    tell_notes(&plan, observer);
    let notes = plan.notes.len();
    hold_to(saved, &plan)?;
    let (mut steps, mut mark) = (proven, mark);
    if !plan.is_empty() {
        // Before the target is touched, which may create it.
        let judged = units::judge(site, &survey.checkout, &survey.inspection, &plan)?;
        let mut session = site.engine.connect(Access::Write)?;
        let built = Build {
            site: &site.with_revision(),
            checkout: &survey.checkout,
            wish,
            mark: None,
            saved,
            judged: Some((plan, judged)),
        }
        .run(&mut *session, observer)?;
        (steps, mark) = (proven + built.steps, built.mark.or(mark));
    }
    let is_wanted = |version: &&Version| wish.to.as_ref().is_none_or(|limit| *version <= limit);
    let scripts = survey.checkout.scripts.iter().map(|script| &script.version);
    let base = survey.checkout.base.iter().map(|base| &base.version);
    let version = scripts.chain(base).filter(is_wanted).max();
    let version = version.max(survey.reconciled.version.as_ref()).map(ToString::to_string);
    Ok(Report { version, mark, steps, notes, duration: started.elapsed() })
}

/// Builds a checkout into an open session's database. `mark` overrides the first mark.
pub fn build_into(
    site: &Site<'_>,
    checkout: &Checkout,
    wish: &Wish,
    mark: Option<&Mark>,
    session: &mut dyn Session,
    observer: &mut dyn Observer,
) -> Result<usize, Error> {
    let build = Build { site, checkout, wish, mark, saved: None, judged: None };
    build.run(session, observer).map(|built| built.steps)
}

/// What a build into a session's database came to.
struct Built {
    steps: usize,
    mark: Option<Mark>,
}

/// A build into a session's database.
struct Build<'a> {
    site: &'a Site<'a>,
    checkout: &'a Checkout,
    wish: &'a Wish,
    /// Overrides the first mark.
    mark: Option<&'a Mark>,
    /// The only plan that may be executed.
    saved: Option<&'a Plan>,
    /// A plan whose units were judged.
    judged: Option<(Plan, units::Judged)>,
}

impl Build<'_> {
    fn run(self, session: &mut dyn Session, observer: &mut dyn Observer) -> Result<Built, Error> {
        let mut touched = false;
        let built = self.execute(session, observer, &mut touched);
        built.map_err(|error| if touched { error.midway() } else { error })
    }

    fn execute(
        mut self,
        session: &mut dyn Session,
        observer: &mut dyn Observer,
        touched: &mut bool,
    ) -> Result<Built, Error> {
        let (site, checkout) = (self.site, self.checkout);
        session.exclusive(Wait { limit: site.target.lock_wait }, observer)?;
        let mut built = Built { steps: 0, mark: None };
        let mut is_first = true;
        loop {
            let mut inspection = session.inspect(&site.project.name)?;
            // A throwaway database is what it was made as, from its first plan on.
            inspection.mark = inspection.mark.or_else(|| self.mark.cloned());
            let (_, plan) = plan_for(site, checkout, &inspection, self.wish)?;
            let mut plan = plan?;
            if std::mem::take(&mut is_first) {
                hold_to(self.saved, &plan)?;
            }
            let judged = match self.judged.take() {
                Some((before, judged)) if before == plan => judged,
                _ => units::judge(site, checkout, &inspection, &plan)?,
            };
            if let (Some(mark), Some(Step::Journal { mark: first })) = (self.mark, plan.steps.first_mut()) {
                *first = Some(mark.clone());
            }
            built.mark = inspection.mark.clone().or_else(|| match plan.steps.first() {
                Some(Step::Journal { mark }) => mark.clone(),
                _ => None,
            });
            if plan.is_empty() {
                return Ok(built);
            }
            let execution =
                apply::Execution { site, checkout, inspection: &inspection, plan: &plan, session, observer, touched };
            let end = execution.run(judged)?;
            built.steps += end.steps;
            if !end.plan_again {
                return Ok(built);
            }
        }
    }
}

/// Regenerates the baseline if it is not of this checkout. While it is, nothing is connected and nothing is written.
pub fn baseline(site: &Site<'_>, observer: &mut dyn Observer) -> Result<Regenerated, Error> {
    let checkout = discover(site.project, site.engine.dialect())?;
    refuse_no_project(site.project, &checkout)?;
    if let Worth::Belongs { .. } = baseline::worth(site.project, &checkout, true) {
        return Ok(Regenerated { changed: Vec::new() });
    }
    let mut protected = site.protected;
    // A baseline is made of the scripts alone: a target that does not answer is none of its business.
    if let Ok((inspection, _)) = inspect(site) {
        refuse_stranger(site, &inspection)?;
        protected = is_protected(&inspection, first_mark(site.target, site.engine.is_local()).as_ref());
    }
    baseline::regenerate(&Site { protected, ..site.clone() }, &checkout, observer)
}

/// Refuses a database that scripts did not make: its content is in no script, and would be in no baseline.
fn refuse_stranger(site: &Site<'_>, inspection: &Inspection) -> Result<(), Refusal> {
    if inspection.journal.is_some() || inspection.objects.is_empty() {
        return Ok(());
    }
    let shown = inspection.objects.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    let more = if inspection.objects.len() > 5 { ", …" } else { "" };
    Err(Refusal::new(
        "baseline/no-journal",
        format!("{} has objects and no journal; a baseline is made from the scripts, not from a database", site.engine.describe()),
    )
    .note(format!("it has {shown}{more}"))
    .hint("taking over a database that exists is called `adopt`; for a baseline of the scripts alone, name an empty or a built database with --target or --url"))
}

/// Says what the committed baseline is worth.
pub fn baseline_worth(site: &Site<'_>) -> Result<Worth, Error> {
    let checkout = discover(site.project, site.engine.dialect())?;
    Ok(baseline::worth(site.project, &checkout, true))
}

/// Says why the committed baseline is not of this checkout, a line each; nothing if it is.
pub fn baseline_reasons(project: &Project, checkout: &Checkout) -> Vec<String> {
    baseline::reasons(project, checkout)
}

/// Returns what the committed baseline holds a database to, if it is of this checkout.
pub fn baseline_held(project: &Project, checkout: &Checkout) -> Option<Held> {
    baseline::held(project, checkout)
}

fn plan_for(
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
    let code_changed = checkout.code.iter().any(|source| plan::changed(source, entries, Kind::Code).is_some());
    let code =
        if code_changed { code::order(site.project, checkout.dialect, &checkout.code)? } else { checkout.code.clone() };
    let half_loaded = plan::is_half_loaded(entries);
    let worth =
        baseline::worth(site.project, checkout, half_loaded || (inspection.is_untouched() && !wish.from_scripts));
    let described = site.engine.describe();
    let seeds = seeds_here(site, checkout, inspection)?;
    let facts = plan::Facts {
        project: &site.project.name,
        checkout,
        code: &code,
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
fn seeds_of(site: &Site<'_>, checkout: &Checkout, environment: Option<&str>) -> Result<Vec<Seed>, Error> {
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

fn tell_notes(plan: &Plan, observer: &mut dyn Observer) {
    for note in &plan.notes {
        observer.event(Event::Note { code: note.code.clone(), message: note.message.clone() });
    }
}

/// Refuses to execute anything but the plan that was saved.
fn hold_to(saved: Option<&Plan>, now: &Plan) -> Result<(), Refusal> {
    let Some(saved) = saved else { return Ok(()) };
    if saved.format != plan::FORMAT {
        return Err(Refusal::new(
            "plan/format",
            format!("the plan has format {}, and this program writes {}", saved.format, plan::FORMAT),
        )
        .hint("save the plan again: `dbbuild plan --save FILE`"));
    }
    let same = saved.project == now.project && saved.steps == now.steps && saved.journal == now.journal;
    if same {
        return Ok(());
    }
    let what = if saved.project != now.project {
        "it is of another project"
    } else if saved.journal == now.journal {
        "scripts, code or seeds changed since"
    } else {
        "the database's journal changed since"
    };
    Err(Refusal::new("plan/outdated", format!("the saved plan does not fit any more: {what}"))
        .hint("look at what would be done now: `dbbuild plan`, and save it again"))
}
