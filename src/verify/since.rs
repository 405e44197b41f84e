//! Which file makes two builds differ: both are made once more, file by file, and looked at behind each.

use std::collections::BTreeSet;

use super::Work;
use super::built::{Moving, without};
use super::change::Change;
use super::stage::Stage;
use crate::engine::TableRows;
use crate::engine::trial::Tables;
use crate::error::Error;
use crate::event::Silent;
use crate::journal::Kind;
use crate::script::Checksum;
use crate::sql::Name;

/// What is there behind a file: the digest of the definitions, and rows.
type Seen = (Option<Checksum>, Vec<TableRows>);

/// Returns the file behind which two builds differ as they do at their end; nothing if they do not this time, as may
/// be with what is left to chance. `changes` is the difference, and `moving` has its tables.
pub fn since<'a>(work: &'a Work<'_>, changes: &[Change], moving: &Moving) -> Result<Option<&'a str>, Error> {
    let definitions = changes.iter().any(|change| matches!(change, Change::Object(_)));
    let (one, other) = (seen(work, definitions, moving)?, seen(work, definitions, moving)?);
    let differs = one.iter().zip(&other).position(|(one, other)| one != other);
    Ok(differs.map(|at| work.items[at].file.as_str()))
}

/// Builds, and looks behind each file.
fn seen(work: &Work<'_>, definitions: bool, moving: &Moving) -> Result<Vec<Seen>, Error> {
    let mut stage = Stage::open(work, &[], &mut Silent)?;
    let mut seen = Vec::new();
    let mut has_code = false;
    for item in work.items {
        if item.kind != Kind::Code {
            stage.apply(work.site, item)?;
        } else if !has_code {
            stage.code(work.site, work.checkout)?;
            has_code = true;
        }
        seen.push(look(&mut stage, definitions, moving)?);
    }
    Ok(seen)
}

fn look(stage: &mut Stage, definitions: bool, moving: &Moving) -> Result<Seen, Error> {
    let digest = if definitions { Some(stage.session.catalog()?.fingerprint()) } else { None };
    let mut trial = stage.session.trial(&[])?;
    let is_looked_at = |name: &Name| moving.tables.contains(&name.to_string());
    let names: BTreeSet<Name> = trial.digests(&Tables::All)?.into_keys().filter(is_looked_at).collect();
    let columns = Moving { columns: moving.columns.clone(), tables: BTreeSet::new() };
    let mut rows = without(&trial.rows(&names)?, &columns);
    rows.iter_mut().for_each(|table| table.rows.sort());
    Ok((digest, rows))
}
