//! Makes the journal's tables and writes the mark; any number of builders may do so at once.

use std::time::Duration;

use super::journal::Journal;
use super::link::{Link, value};
use super::quote::{literal, optional};
use crate::engine::{EngineError, Result};
use crate::journal::{FORMAT, Mark};

/// What `CREATE … IF NOT EXISTS` fails with when somebody else commits the same object in between: unique
/// violations in the catalog, duplicates, `tuple concurrently updated`, and waiting for one another too long.
const RACES: [&str; 10] = ["55P03", "23505", "42P04", "42P06", "42P07", "42710", "42723", "XX000", "40P01", "40001"];

/// Makes the tables unless they are there, and writes the mark unless there is one.
pub(super) fn prepare(link: &mut Link, journal: &Journal, mark: Option<&Mark>) -> Result<()> {
    let schema = &journal.schema;
    for attempt in 0_u32.. {
        link.ready()?;
        match link.send_own(&format!("select format, environment from {schema}.environment")) {
            Ok(answers) => {
                let format: Option<u32> = value(&answers, "format").and_then(|text| text.parse().ok());
                match format {
                    Some(format) if format > FORMAT => return Err(EngineError::newer_journal(format, FORMAT)),
                    Some(_) if mark.is_none() || value(&answers, "environment").is_some() => return Ok(()),
                    Some(_) | None => {}
                }
            }
            Err(trouble) if matches!(trouble.code(), "42P01" | "3F000") => {}
            Err(trouble) => return Err(trouble.own("reading the journal's format", &link.connector.shown())),
        }
        let mark = mark.map_or_else(String::new, |mark| write_mark(journal, mark, true));
        let script = format!("{}{}{mark}", link.begin_text(), journal.create());
        // COMMIT goes out by itself, as it does everywhere.
        let made = link.send_own(&script).and_then(|_| link.send_own("commit"));
        link.take_notices();
        match made {
            Ok(_) => return Ok(()),
            Err(trouble) if RACES.contains(&trouble.code()) && attempt < 50 => {
                link.rollback();
                link.check_interrupt(|| "nothing was changed".into())?;
                link.pause(Duration::from_millis(fastrand::u64(5..50)));
            }
            Err(trouble) => {
                link.rollback();
                return Err(trouble.own("creating the journal", &link.connector.shown()));
            }
        }
    }
    Err(EngineError::Journal("the journal could not be created".into()))
}

/// Writes the mark.
pub(super) fn mark(link: &mut Link, journal: &Journal, mark: &Mark) -> Result<()> {
    prepare(link, journal, None)?;
    link.own("writing the mark", &write_mark(journal, mark, false)).map(|_| ())
}

/// Returns the statement that writes the mark.
pub(super) fn write_mark(journal: &Journal, mark: &Mark, only_if_absent: bool) -> String {
    format!(
        "update {}.environment set environment = {}, protected = {}, set_at = pg_catalog.clock_timestamp(), \
         set_by = session_user{};\n",
        journal.schema,
        optional(Some(&mark.environment)),
        literal(if mark.protected { "true" } else { "false" }),
        if only_if_absent { " where environment is null" } else { "" }
    )
}
