//! The first rows of an empty table: nothing is there to be compared, so they are streamed straight into it.

use std::io::Read;

use super::digests::{Digests, put_aside};
use super::stage::{copy, line, next_row, rows_of};
use super::table::Table;
use super::write::{UNDO, forget};
use super::{Stop, as_role, send, stopped};
use crate::engine::postgres::error::Trouble;
use crate::engine::postgres::journal::Journal;
use crate::engine::postgres::link::{Link, value};
use crate::engine::postgres::quote::{ident, literal};
use crate::engine::{Loaded, RowSeed, SeedMode};
use crate::event::Observer;

/// Writes all rows of a file into a table that is empty, and the digests of a tracked one. `None` if the
/// table is not empty, or if some row cannot be written: then nothing was, and the usual way tells which one.
pub(super) fn fill(
    link: &mut Link,
    journal: &Journal,
    seed: &RowSeed,
    table: &Table,
    owner: Option<&str>,
    observer: &mut dyn Observer,
) -> Result<Option<Loaded>, Stop> {
    if !is_open(link, table, owner)? {
        return Ok(None);
    }
    let names: Vec<String> = table.columns.iter().map(|column| ident(&column.name)).collect();
    let null = seed.null.as_deref();
    let mut reader = rows_of(seed)?;
    // The connection carries one COPY at a time, and the file may be another one when it is read again.
    let mut digests = Digests::new();
    let mut rows = 0;
    let filled = copy(link, &format!("{} ({})", table.sql, names.join(", ")), seed, observer, |buffer| {
        let Some((record, key)) = next_row(&mut reader, seed, table)? else { return Ok(false) };
        line(buffer, record.values(null));
        rows += 1;
        if seed.mode == SeedMode::Tracked {
            let fields = [seed.entry.project.as_str(), &seed.file, &key, &table.digest_of(record, null)];
            digests.add(fields)?;
        }
        Ok(true)
    })?;
    let inserted = match filled {
        Ok(inserted) => inserted,
        Err(Trouble::Answer(failure, _)) if failure.code != "57014" && !failure.is_somebody_else() => {
            return send(link, UNDO).map(|_| None);
        }
        Err(trouble) => return Err(stopped(trouble)),
    };
    if seed.mode == SeedMode::Tracked {
        send(link, "set local role none")?;
        let mut digests = digests.read()?;
        let rows = format!("{}.seed_row (project, file, key, digest)", journal.schema);
        let copied = copy(link, &rows, seed, observer, |buffer| {
            let read = digests.by_ref().take(64 << 10).read_to_end(buffer).map_err(put_aside)?;
            Ok(read > 0)
        })?;
        copied.map_err(|trouble| Stop::own(trouble, "writing the digests of the rows", ""))?;
    } else {
        send(link, &format!("set local role none;\n{}", forget(journal, seed)))?;
    }
    Ok(Some(Loaded { rows, inserted, ..Loaded::default() }))
}

/// Returns true if the table has neither rows nor rules, which
/// [COPY passes over](https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.7).
fn is_open(link: &mut Link, table: &Table, owner: Option<&str>) -> Result<bool, Stop> {
    let question = format!(
        "{}savepoint dbbuild_rows;\n\
         select not exists (select from {})
            and not exists (select from pg_catalog.pg_rewrite r where r.ev_class = {}::pg_catalog.regclass) as is_open",
        as_role(owner),
        table.sql,
        literal(&table.sql),
    );
    Ok(value(&send(link, &question)?, "is_open") == Some("t"))
}
