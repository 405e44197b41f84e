//! The versions that a build is asked for: one that nothing has is a slip of the pen, and building up to somewhere
//! near it would be a guess.

use super::{Facts, Plan};
use crate::build::{Checkout, Refusal, Wish};
use crate::script::Version;

/// Refuses to build to a version that neither the checkout nor the database has.
pub(super) fn refuse_unknown(to: &Version, facts: &Facts<'_>) -> Result<(), Refusal> {
    let known = facts.reconciled.statuses.iter().map(|status| &status.version).chain(of_checkout(facts.checkout));
    refuse_other_than(known, "--to", to)
}

/// Refuses to begin at a version that the checkout does not have, and to end in front of it. 0 is an empty database.
pub fn refuse_from(from: &Version, wish: &Wish, checkout: &Checkout) -> Result<(), Refusal> {
    if *from != Version::from(0) {
        refuse_other_than(of_checkout(checkout), "--from", from)?;
    }
    match &wish.to {
        Some(to) if to < from => {
            Err(Refusal::new("plan/backwards", format!("--to {to} is older than --from {from}: a plan goes forward"))
                .hint(format!("exchange them: `--from {to} --to {from}`")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Says so if the database is past the version that is asked for: a build takes nothing back.
pub(super) fn note_beyond(facts: &Facts<'_>, plan: &mut Plan) {
    if let (Some(to), Some(version)) = (&facts.wish.to, &plan.version)
        && to < version
    {
        plan.note("beyond", format!("{} is at {version}, past {to}; a build takes nothing back", facts.described));
    }
}

fn of_checkout(checkout: &Checkout) -> impl Iterator<Item = &Version> {
    let scripts = checkout.scripts.iter().map(|script| &script.version);
    let squashed = checkout.squashed().iter().map(|squashed| &squashed.version);
    scripts.chain(squashed).chain(checkout.base.iter().map(|base| &base.version)).chain(&checkout.elsewhere)
}

/// Refuses a version that is none of the known ones, and names those beside it.
fn refuse_other_than<'a>(
    known: impl Iterator<Item = &'a Version>,
    option: &str,
    asked: &Version,
) -> Result<(), Refusal> {
    let (mut below, mut above) = (None, None);
    for version in known {
        match version.cmp(asked) {
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Less => below = below.max(Some(version)),
            std::cmp::Ordering::Greater => {
                above = Some(above.map_or(version, |nearest: &Version| nearest.min(version)))
            }
        }
    }
    let refusal = Refusal::new("plan/no-version", format!("there is no version {asked}"));
    Err(match (below, above) {
        (Some(below), Some(above)) => refusal
            .note(format!("it would stand between {below} and {above}"))
            .hint(format!("`{option} {below}` or `{option} {above}`")),
        (Some(newest), None) => {
            refusal.note(format!("the newest one is {newest}")).hint(format!("`{option} {newest}`"))
        }
        (None, Some(oldest)) => {
            refusal.note(format!("the oldest one is {oldest}")).hint(format!("`{option} {oldest}`"))
        }
        (None, None) => refusal.hint("there are no scripts yet: `dbbuild new-version NAME`"),
    })
}
