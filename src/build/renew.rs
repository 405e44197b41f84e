//! The committed baseline as a stage of its own: made again when it is not of the checkout, and judged.

use super::baseline::{self, Held, Regenerated, Worth};
use super::discover::{Checkout, discover};
use super::plan::{first_mark, is_protected};
use super::survey::{inspect, refuse_no_project};
use super::{Refusal, Site};
use crate::engine::Inspection;
use crate::error::Error;
use crate::event::Observer;
use crate::project::Project;

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
