//! Clears away what an interrupted `CONCURRENTLY` leaves behind: an INVALID index, which `IF NOT EXISTS` takes
//! for a good one, and the half-built copies of a REINDEX.

use super::journal::DIALECT;
use super::link::{Link, column, rows};
use super::quote::{literal, qualified};
use super::stop::Stop;
use crate::engine::{EngineError, Part, Unit};
use crate::sql::{ConcurrentIndex, Kind, Name, Tokens, concurrent_index};

/// Prepares for running an interrupted statement again.
pub(super) fn before_rerun(link: &mut Link, unit: &Unit, part: &Part) -> Result<(), Stop> {
    let leftovers = match concurrent_index(Tokens::new(unit.text.as_str(), part.span, DIALECT)) {
        Some(ConcurrentIndex::Create { index: Some(index), table }) => created(&index, table.as_ref()),
        // Without a name of its own the leftover cannot be told from somebody else's.
        Some(ConcurrentIndex::Create { index: None, .. } | ConcurrentIndex::Drop { .. }) | None => return Ok(()),
        Some(ConcurrentIndex::Reindex { kind, name }) => reindexed(kind, name.as_ref()),
    };
    let shown = link.connector.shown();
    let own = |trouble| Stop::own(trouble, "looking for an unfinished index", &shown);
    let query = format!(
        "select n.nspname as schema, c.relname as name,
                (select p.pid::text from pg_catalog.pg_stat_progress_create_index p
                  where p.index_relid = c.oid or p.relid = i.indrelid and p.index_relid = 0 limit 1) as builder
           from pg_catalog.pg_index i
           join pg_catalog.pg_class c on c.oid = i.indexrelid
           join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          where not i.indisvalid and {leftovers}"
    );
    let answers = link.send_own(&query).map_err(own)?;
    for row in rows(&answers) {
        let (schema, name) = (column(row, "schema").unwrap_or_default(), column(row, "name").unwrap_or_default());
        if let Some(builder) = column(row, "builder") {
            return Err(Stop::Engine(EngineError::Refused {
                code: "script/index-being-built",
                message: format!(
                    "the index {name} is still being built by pid {builder}, which an earlier build left behind"
                ),
                place: Some(unit.text.place(part.span)),
                hint: Some(format!(
                    "wait for it, or stop it with `select pg_terminate_backend({builder})`, and build again"
                )),
            }));
        }
        // Its waits count against lock_timeout like those of the statement itself.
        let drop = format!("drop index concurrently if exists {}", qualified([schema, name]));
        for text in
            ["set lock_timeout = 0", &drop, &format!("set lock_timeout = {}", super::run::lock_timeout(link, unit))]
        {
            link.send(text).map_err(|trouble| Stop::own(trouble, "dropping an unfinished index", &shown))?;
        }
    }
    Ok(())
}

/// An index is in its table's schema, whatever the search path.
fn created(index: &Name, table: Option<&Name>) -> String {
    let own = format!("c.relname = {}", literal(index.object()));
    match table {
        Some(table) => format!("{own} and i.indrelid = {}", regclass(table)),
        None => format!("{own} and pg_catalog.pg_table_is_visible(c.oid)"),
    }
}

/// REINDEX builds `<index>_ccnew` and drops `<index>_ccold`; a number follows where that name is taken.
fn reindexed(kind: Kind, name: Option<&Name>) -> String {
    let leftover = "c.relname ~ '_cc(new|old)[0-9]*$'";
    match (kind, name) {
        (Kind::Index, Some(name)) => format!(
            "{leftover} and i.indrelid = (select o.indrelid from pg_catalog.pg_index o where o.indexrelid = {}) \
             and c.relname like {}",
            regclass(name),
            literal(&format!("{}%", name.object().replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%")))
        ),
        (Kind::Table, Some(name)) => format!("{leftover} and i.indrelid = {}", regclass(name)),
        (Kind::Schema, Some(name)) => format!("{leftover} and n.nspname = {}", literal(name.object())),
        _ => leftover.to_owned(),
    }
}

fn regclass(name: &Name) -> String {
    format!("pg_catalog.to_regclass({})", literal(&qualified(name.parts().iter().map(String::as_str))))
}
