//! Claims that know by themselves whether there is anything to do: the state of the journal is asked when the
//! script runs, not when it is written.

use super::super::journal::{COLUMNS, Journal, values};
use super::super::quote::literal;
use crate::journal::{Kind, NewEntry, Run, Stored};

/// The sequence that a claim has returned, as `psql` puts it in.
pub(super) const SEQUENCE: &str = ":dbbuild_sequence";

/// Returns the statement that claims an entry and sets `dbbuild_run` and `dbbuild_sequence`.
pub(super) fn claim(journal: &Journal, entry: &NewEntry, progress: Option<&str>, run: &Run) -> String {
    let row = values(entry, NEXT, Stored::Running, 0, progress, run, "null, null");
    format!(
        "{},\nclaimed as (\n{}    returning sequence\n)\n\
         select pg_catalog.count(*) = 1 as dbbuild_run, coalesce(pg_catalog.max(sequence), 0) as dbbuild_sequence\n  \
         from claimed\n\\gset\n",
        newest(journal, entry),
        insert(journal, entry, &row)
    )
}

/// Returns the statement that writes a finished entry, unless it is there.
pub(super) fn record(journal: &Journal, entry: &NewEntry, run: &Run) -> String {
    let row = values(entry, NEXT, entry.state, entry.statements, None, run, "pg_catalog.clock_timestamp(), 0");
    format!("{}\n{}", newest(journal, entry), insert(journal, entry, &row))
}

const NEXT: &str = "coalesce((select attempt from newest), 0) + 1";

fn newest(journal: &Journal, entry: &NewEntry) -> String {
    format!(
        "with newest as (\n    select attempt, state, checksum from {}.journal\n     \
         where project = {} and kind = {} and key = {}\n     order by attempt desc limit 1\n)",
        journal.schema,
        literal(&entry.project),
        literal(entry.kind.as_str()),
        literal(&entry.key)
    )
}

fn insert(journal: &Journal, entry: &NewEntry, row: &str) -> String {
    format!(
        "    insert into {}.journal ({COLUMNS})\n    select {row}\n     where not exists (select from newest where {})\n    \
         on conflict (project, kind, key, attempt) do nothing\n",
        journal.schema,
        is_done(entry)
    )
}

/// A script runs once, whatever its text; that its text is still the same is checked before. Code and seeds run
/// when their text has changed.
fn is_done(entry: &NewEntry) -> String {
    match entry.kind {
        Kind::Script if entry.state == Stored::Applied => "state <> 'reverted'".to_owned(),
        Kind::Script | Kind::Code | Kind::Seed | Kind::TestData | Kind::Down | Kind::Access | Kind::Baseline => {
            format!("state not in ('reverted', 'running') and checksum = {}", literal(entry.checksum.as_str()))
        }
    }
}
