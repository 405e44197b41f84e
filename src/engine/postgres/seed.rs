//! Brings a table's rows to the state of a CSV file.

use super::journal::Journal;
use super::link::Link;
use crate::engine::{Loaded, Result, RowSeed};
use crate::event::Observer;
use crate::journal::{NewEntry, Run};

/// Loads one seed.
pub(super) fn load(_: &mut Link, _: &Journal, _: &RowSeed, _: &Run, _: &mut dyn Observer) -> Result<Option<Loaded>> {
    Err(super::session::not_yet("load_rows"))
}

/// Writes entries.
pub(super) fn digests_of(
    link: &mut Link,
    journal: &Journal,
    entries: &[NewEntry],
    tracked: &[RowSeed],
    run: &Run,
) -> Result<()> {
    if !tracked.is_empty() {
        return Err(super::session::not_yet("tracked"));
    }
    let message = format!("begin isolation level read committed read write;\n{}", journal.record(entries, run));
    link.own("writing the journal", &message)?;
    link.own("writing the journal", "commit").map(|_| ())
}
