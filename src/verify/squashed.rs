//! The road of a squashed history: the scripts that the base stands for, run from empty, and then this checkout, end
//! where a database ends that begins with the base. Scripts that are deleted come out of git, at the commits that the
//! base names; what was squashed in several goes takes as many steps, as a database of somebody would.

use std::collections::BTreeMap;

use super::account::Account;
use super::revision::Revision;
use super::roads::{self, Fresh, from_scripts};
use super::stage::Stage;
use super::{Finding, Halt, Level, Proof, Work};
use crate::build::{self, Checkout};
use crate::error::Error;
use crate::project::Base;
use crate::script::Version;

/// The last scripts of one squash.
struct Leg<'a> {
    /// Where they are; nothing for the work tree.
    revision: Option<Revision>,
    to: &'a Version,
}

/// Goes the road, if there is a base.
pub fn squashed(work: &Work<'_>, fresh: &Fresh, account: &mut Account<'_>) -> Result<(), Halt> {
    let Some(base) = &work.checkout.base else { return Ok(()) };
    let legs = match legs(work, base)? {
        Ok(legs) => legs,
        Err(why) => {
            account.of(Proof::Roads).skip(&base.folder, why);
            return Ok(());
        }
    };
    let others: Vec<_> = legs.iter().filter_map(|leg| leg.revision.as_ref()).map(|earlier| &earlier.project).collect();
    let mut stage = Stage::bare(work, &others, account.observer)?;
    let wish = build::Wish { no_seed: true, ..from_scripts() };
    for leg in &legs {
        let ran = match &leg.revision {
            None => {
                let checkout = scripts_to(leg.to, &Checkout { base: None, ..work.checkout.clone() });
                stage.build(work.site, &checkout, &wish, account)
            }
            Some(earlier) => {
                stage.build(&earlier.site(work.site), &scripts_to(leg.to, &earlier.checkout), &wish, account)
            }
        };
        if let Err(error) = roads::built(ran)? {
            let what = "the scripts that the base stands for do not run";
            let finding = Finding::of_error(Level::Error, "roads/squashed", &base.folder, what, error)?;
            return account.note(Proof::Roads, vec![finding], &mut stage, "what could be run of the squashed scripts");
        }
    }
    let whose = ("a database that ran the squashed scripts", "a database that begins with the base");
    roads::upgraded(work, stage, fresh, ("roads/squashed", &base.folder), whose, account)
}

/// Finds the scripts: in the work tree if all are there yet, else in git. Where they are nowhere, says so.
fn legs<'a>(work: &Work<'_>, base: &'a Base) -> Result<Result<Vec<Leg<'a>>, String>, Error> {
    let known: BTreeMap<&Version, _> =
        work.checkout.scripts.iter().map(|script| (&script.version, &script.checksum)).collect();
    if base.scripts.iter().all(|script| known.get(&script.version) == Some(&&script.checksum)) {
        return Ok(Ok(vec![Leg { revision: None, to: &base.version }]));
    }
    let mut ends: Vec<(&str, &Version)> = Vec::new();
    for script in &base.scripts {
        let Some(revision) = script.revision.as_deref() else {
            return Ok(Err(format!("{} is deleted, and the base names no commit that has it", script.file)));
        };
        match ends.last_mut() {
            Some((last, to)) if *last == revision => *to = &script.version,
            _ => ends.push((revision, &script.version)),
        }
    }
    let mut legs = Vec::new();
    for (revision, to) in ends {
        match Revision::open(work.site, revision) {
            Ok(earlier) => legs.push(Leg { revision: Some(earlier), to }),
            // A clone may be a shallow one.
            Err(error @ (Error::Git(_) | Error::Settings(_))) => return Ok(Err(error.to_string())),
            Err(other) => return Err(other),
        }
    }
    Ok(Ok(legs))
}

/// Returns the scripts up to a version alone: what a squash takes.
fn scripts_to(to: &Version, checkout: &Checkout) -> Checkout {
    let mut alone = checkout.clone();
    alone.scripts.retain(|script| script.version <= *to);
    alone.scripts_alone()
}
