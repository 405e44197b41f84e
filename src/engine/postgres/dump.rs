//! Writes a database in the baseline's form: `pre-data.sql` and `post-data.sql` by `pg_dump`, the rows of each
//! table in `data/schema.table.copy`, the sequences in `sequences.sql`.
//!
//! Promise: the bytes depend on the database, on the server's major version and on pg_dump's, and on nothing
//! else: not on who dumps, where, in which time zone or locale, or in what order rows were written.

use std::path::Path;

use postgres::Client;

use super::connect::Connector;
use super::error::Trouble;
use crate::engine::{DumpInfo, EngineError, Result};
use crate::event::{Event, Observer};
use crate::interrupt::Interrupt;

mod file_name;
mod pg_dump;
mod rows;
mod sequences;
mod tables;
mod tidy;

/// The schema's part that rows need.
pub(super) const PRE_DATA: &str = "pre-data.sql";
/// The schema's part that needs rows.
pub(super) const POST_DATA: &str = "post-data.sql";
/// Where the sequences stand.
pub(super) const SEQUENCES: &str = "sequences.sql";
/// The folder of the rows.
pub(super) const DATA: &str = "data";

pub(super) use rows::END;

/// The name under which progress is told.
pub(super) const STEP: &str = "dump";

/// Everything that decides how a value is written, and no limit of time. `pg_dump` sets the like for itself.
pub(super) const SETTINGS: &str = "
    set local search_path = pg_catalog;
    set local datestyle = 'ISO, MDY';
    set local intervalstyle = 'postgres';
    set local timezone = 'UTC';
    set local extra_float_digits = 3;
    set local bytea_output = 'hex';
    set local xmlbinary = 'base64';
    set local lc_monetary = 'C';
    set local lc_numeric = 'C';
    set local quote_all_identifiers = off;
    set local row_security = off;
    set local synchronize_seqscans = off;
    select pg_catalog.set_config(name, '0', true)
    from pg_catalog.pg_settings
    where name in (
        'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout'
    )";

/// Writes schema and rows into an empty folder, all as of one moment.
pub(super) fn dump(
    client: &mut Client,
    connector: &Connector,
    interrupt: &Interrupt,
    folder: &Path,
    observer: &mut dyn Observer,
) -> Result<DumpInfo> {
    let server_major = server_major(client, connector)?;
    let program = pg_dump::PgDump::find(connector, server_major)?;
    let sql = own(connector, "reading the database");
    client.batch_execute("begin isolation level repeatable read read only").map_err(&sql)?;
    let dumped = dump_snapshot(client, connector, &program, interrupt, folder, observer);
    // It only read; and if the connection broke, then `dumped` says so.
    let ended = client.batch_execute("rollback").map_err(&sql);
    dumped?;
    ended?;
    Ok(DumpInfo { server_major, dump_major: Some(program.major) })
}

fn dump_snapshot(
    client: &mut Client,
    connector: &Connector,
    program: &pg_dump::PgDump,
    interrupt: &Interrupt,
    folder: &Path,
    observer: &mut dyn Observer,
) -> Result<()> {
    let sql = own(connector, "reading the database");
    client.batch_execute(SETTINGS).map_err(&sql)?;
    refuse_large_objects(client, connector)?;
    let snapshot: String = client.query_one("select pg_catalog.pg_export_snapshot()", &[]).map_err(&sql)?.get(0);
    let login: String = client.query_one("select session_user::text", &[]).map_err(&sql)?.get(0);
    let excluded = excluded_schemas(client, connector)?;

    observer.event(progress("schema".into(), None));
    let pre = program.start(connector, "pre-data", &snapshot, &excluded)?;
    let post = program.start(connector, "post-data", &snapshot, &excluded)?;
    let tables = tables::read(client, &excluded).map_err(&sql)?;
    for (done, table) in tables.iter().enumerate() {
        stop_if(interrupt)?;
        let counted = (done as u64, tables.len() as u64);
        rows::write(client, connector, table, &folder.join(DATA), &mut |message| {
            observer.event(progress(message, Some(counted)));
        })?;
    }
    let sequences = sequences::read(client, &excluded).map_err(&sql)?;
    if !sequences.is_empty() {
        write(&folder.join(SEQUENCES), &format!("{SEQUENCES_HEAD}{sequences}"))?;
    }

    let builders: Vec<&str> =
        [Some(login.as_str()), connector.target.owner_role.as_deref()].into_iter().flatten().collect();
    let has_public = client
        .query_one("select exists (select from pg_catalog.pg_namespace where nspname = 'public')", &[])
        .map_err(&sql)?
        .get(0);
    let public = if has_public { "" } else { NO_PUBLIC };
    write(
        &folder.join(PRE_DATA),
        &format!("{PRE_HEAD}{public}{}", tidy::tidy(&pre.finish(connector, interrupt)?, &builders)?),
    )?;
    write(
        &folder.join(POST_DATA),
        &format!("{POST_HEAD}{}", tidy::tidy(&post.finish(connector, interrupt)?, &builders)?),
    )
}

const PRE_HEAD: &str =
    "-- The schema as far as rows need it. Written by dbbuild, and loaded by it: not a script for psql.\n\n";
const POST_HEAD: &str =
    "-- The schema's part that needs rows. Written by dbbuild, and loaded by it: not a script for psql.\n\n";
const SEQUENCES_HEAD: &str = "-- Where the sequences stand. Written by dbbuild, and loaded by it.\n\n";

/// `pg_dump` takes the schema `public` for given, also where it was dropped.
const NO_PUBLIC: &str = "DROP SCHEMA IF EXISTS public;\n\n";

/// Returns the schemas that are no part of the project: dbbuild's own, and where the project has a list, the rest.
fn excluded_schemas(client: &mut Client, connector: &Connector) -> Result<Vec<String>> {
    let rows = client
        .query(
            "select n.nspname::text
             from pg_catalog.pg_namespace n
             where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
               and (
                   n.nspname = $1
                   or (cardinality($2::text[]) > 0 and n.nspname <> all ($2::text[]))
               )
               and not exists (
                   select
                   from pg_catalog.pg_depend d
                   where d.classid = 'pg_catalog.pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e'
               )
             order by n.nspname collate \"C\"",
            &[&connector.target.journal_name, &connector.target.schemas],
        )
        .map_err(own(connector, "reading the schemas"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Large objects are known by numbers that no other database can promise to have free.
fn refuse_large_objects(client: &mut Client, connector: &Connector) -> Result<()> {
    let count: i64 = client
        .query_one("select count(*) from pg_catalog.pg_largeobject_metadata", &[])
        .map_err(own(connector, "looking for large objects"))?
        .get(0);
    if count == 0 {
        return Ok(());
    }
    Err(EngineError::Refused {
        code: "baseline/large-objects",
        message: format!("the database holds {count} large objects, which a dump in text cannot carry"),
        place: None,
        hint: Some("keep such values in columns of type bytea".into()),
    })
}

pub(super) fn server_major(client: &mut Client, connector: &Connector) -> Result<u32> {
    let number: i32 = client
        .query_one("select current_setting('server_version_num')::int4", &[])
        .map_err(own(connector, "reading the server's version"))?
        .get(0);
    Ok(number.unsigned_abs() / 10_000)
}

fn stop_if(interrupt: &Interrupt) -> Result<()> {
    if interrupt.is_raised() {
        return Err(EngineError::Interrupted { kept: "nothing of the dump was kept".into() });
    }
    Ok(())
}

fn progress(message: String, done: Option<(u64, u64)>) -> Event {
    Event::Progress { name: STEP.into(), message, done }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|source| EngineError::Io { path: path.to_owned(), source })
}

/// Turns the driver's errors into the tool's own.
pub(super) fn own<'a>(connector: &'a Connector, doing: &'a str) -> impl Fn(postgres::Error) -> EngineError + use<'a> {
    move |error| Trouble::of(&error, &connector.redactor).own(doing, &connector.shown())
}

#[cfg(test)]
mod tests;
