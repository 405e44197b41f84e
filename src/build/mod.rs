//! The pipeline: discover, reconcile, plan, apply (scripts, code, seeds), baseline.
//!
//! `survey` is its first half and writes nothing; `build` is all of it. Nothing-to-do is decided before any lock,
//! in one query; what is to be done is planned again once the lock is held.

mod apply;
mod base;
mod baseline;
mod code;
mod discover;
mod fresh;
mod history;
mod load;
mod login;
mod note;
mod offline;
mod parallel;
mod plan;
pub mod proof;
mod reach;
mod refusal;
mod renew;
mod site;
mod survey;
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
pub use login::tell as tell_login;
pub use note::entry_without_running;
pub use offline::script as offline_script;
pub use parallel::{collect, in_parallel};
pub use plan::{
    Note, Plan, PlannedFile, PlannedScript, Step, Wish, damaged_base, first_mark, is_protected, refuse_other_mark,
};
pub use reach::{makes_roles, names, of_project as reaches_out, of_text as reaches_out_of, role_names};
pub use refusal::Refusal;
pub use renew::{baseline, baseline_held, baseline_reasons, baseline_worth};
pub use site::{Site, open};
pub use survey::{Survey, survey};
pub use test_data::{TestData, test_data};
pub use unit::{Planned, unit};

use survey::{plan_for, refuse_no_project, seeds_of};

use crate::engine::{Access, Session, Wait};
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::journal::Mark;
use crate::script::Version;

impl Survey {
    /// Returns true if a build, before it refuses altered scripts, tries whether running them again can be proven right.
    pub fn is_to_be_proven(&self, site: &Site<'_>) -> bool {
        !site.protected && matches!(&self.plan, Err(refusal) if refusal.code == "journal/altered")
    }

    /// Judges the texts of a plan as a build does before it touches the database: says everything that is wrong with
    /// them.
    pub fn judge(&self, site: &Site<'_>, plan: &Plan) -> Result<(), Error> {
        units::judge(site, &self.checkout, &self.inspection, plan).map(|_| ())
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

/// Brings the target to the state of the checkout. With `saved`, only if the plan that is made now for the same
/// wish is that one; `wish` is not asked.
pub fn build(site: &Site<'_>, wish: &Wish, saved: Option<&Plan>, observer: &mut dyn Observer) -> Result<Report, Error> {
    let wish = saved.map_or(wish, |plan| &plan.wish);
    let started = Instant::now();
    let mut survey = patient_survey(site, wish, observer)?;
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
        survey = survey::survey(site, wish)?;
    }
    let plan = survey.plan?;
    tell_notes(&plan, observer);
    let notes = plan.notes.len();
    hold_to(saved, &plan)?;
    let (mut steps, mut mark) = (proven, mark);
    if !plan.is_empty() {
        let (judged, mut session, revision) = std::thread::scope(|scope| -> Result<_, Error> {
            let revision = scope.spawn(|| site.revision());
            // Before the target is touched, which may create it.
            let judged = units::judge(site, &survey.checkout, &survey.inspection, &plan)?;
            let session = site.engine.connect(Access::Write)?;
            Ok((judged, session, revision.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))))
        })?;
        let built = Build {
            site: &site.at_revision(revision),
            checkout: &survey.checkout,
            wish,
            mark: None,
            saved,
            judged: Some((plan, judged)),
        }
        .run(&mut *session, observer)?;
        (steps, mark) = (proven + built.steps, built.mark.or(mark));
    }
    let version = reached(&survey.checkout, wish).max(survey.reconciled.version.as_ref()).map(ToString::to_string);
    Ok(Report { version, mark, steps, notes, duration: started.elapsed() })
}

/// Surveys, and waits first for another builder where a database cannot be read meanwhile: SQLite is not while a
/// transaction that outgrew its cache is written.
fn patient_survey(site: &Site<'_>, wish: &Wish, observer: &mut dyn Observer) -> Result<Survey, Error> {
    match survey(site, wish) {
        Err(Error::Engine(error)) if error.is_in_use() => {
            site.engine.wait_for_builder(Wait { limit: site.target.lock_wait }, observer)?;
            survey(site, wish)
        }
        surveyed => surveyed,
    }
}

/// Returns the newest version of a checkout that is within what was asked for.
fn reached<'a>(checkout: &'a Checkout, wish: &Wish) -> Option<&'a Version> {
    let scripts = checkout.scripts.iter().map(|script| &script.version);
    let all = scripts.chain(checkout.base.iter().map(|base| &base.version));
    all.filter(|version| wish.to.as_ref().is_none_or(|limit| *version <= limit)).max()
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
