//! Writes a database in the baseline's form: `pre-data.sql` and `post-data.sql` by `pg_dump`, the rows of each
//! table in `data/schema.table.copy`, the sequences in `sequences.sql`.
//!
//! Promise: the bytes depend on the database, on the server's major version and on pg_dump's, and on nothing
//! else: not on who dumps, where, in which time zone or locale, or in what order rows were written.

use std::path::Path;

use postgres::Client;

use super::connect::Connector;
use super::error::Trouble;
use crate::engine::{DumpInfo, DumpPart, DumpWish, EngineError, Result};
use crate::event::{Event, Observer};
use crate::interrupt::Interrupt;

mod cells;
mod file_name;
mod left_out;
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

pub(super) use cells::cells;
pub(super) use rows::END;

use left_out::LeftOut;

/// How many tables are read until their locks are let go: a table's and each of its indexes', and `pg_dump` holds a
/// lock on every table at the same time. The snapshot stays.
const LOCKED: usize = 100;

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
    set local statement_timeout = 0;
    set local lock_timeout = 0;
    set local idle_in_transaction_session_timeout = 0;
    select pg_catalog.set_config('transaction_timeout', '0', true)
    where pg_catalog.current_setting('transaction_timeout', true) is not null";

/// Writes schema and rows into an empty folder, all as of one moment.
pub(super) fn dump(
    client: &mut Client,
    connector: &Connector,
    interrupt: &Interrupt,
    wish: &DumpWish,
    folder: &Path,
    observer: &mut dyn Observer,
) -> Result<DumpInfo> {
    let server_major = server_major(client, connector)?;
    let program = match wish.part {
        DumpPart::Whole | DumpPart::Schema => Some(pg_dump::PgDump::find(connector, server_major)?),
        DumpPart::Rows => None,
    };
    let sql = own(connector, "reading the database");
    client.batch_execute("begin isolation level repeatable read read only").map_err(&sql)?;
    let dumped = Snapshot { connector, interrupt, wish, folder }.dump(client, program.as_ref(), observer);
    // It only read; and if the connection broke, then `dumped` says so.
    let ended = client.batch_execute("rollback").map_err(&sql);
    dumped?;
    ended?;
    Ok(DumpInfo { server_major, dump_major: program.map(|program| program.major) })
}

/// What is dumped, and where to.
struct Snapshot<'a> {
    connector: &'a Connector,
    interrupt: &'a Interrupt,
    wish: &'a DumpWish,
    folder: &'a Path,
}

impl Snapshot<'_> {
    fn dump(&self, client: &mut Client, program: Option<&pg_dump::PgDump>, observer: &mut dyn Observer) -> Result<()> {
        let Self { connector, wish, .. } = self;
        let sql = own(connector, "reading the database");
        client.batch_execute(SETTINGS).map_err(&sql)?;
        let snapshot: String = client.query_one("select pg_catalog.pg_export_snapshot()", &[]).map_err(&sql)?.get(0);
        let left_out = LeftOut::read(client, connector, wish)?;
        if program.is_some() && wish.schema.is_none() {
            for message in left_out::of_the_database(client).map_err(&sql)? {
                observer.event(Event::Note { code: "dump/left-out".into(), message });
            }
        }
        let mut sections = Vec::new();
        if let Some(program) = program {
            observer.event(progress("schema".into(), None));
            // The schema alone, so that it does not lock and ask every sequence; what it leaves out of these two
            // sections is that materialized views are filled.
            let has_filled: bool = client.query_one(HAS_FILLED, &[]).map_err(&sql)?.get(0);
            for (section, file, head) in [("pre-data", PRE_DATA, PRE_HEAD), ("post-data", POST_DATA, POST_HEAD)] {
                let mut options = left_out.options();
                if file == PRE_DATA || !has_filled {
                    options.push("--schema-only".into());
                }
                sections.push((program.start(connector, section, &snapshot, &options)?, file, head));
            }
        }
        if wish.part != DumpPart::Schema {
            self.rows(client, &left_out, observer)?;
        }
        // A role's settings may say whom it acts as.
        let who = client.query_one("select array[session_user::text, current_user::text]", &[]).map_err(&sql)?;
        let mut builders: Vec<String> = who.get(0);
        builders.extend(connector.target.owner_role.clone());
        let of_public = client.query_opt(OF_PUBLIC, &[]).map_err(&sql)?.map(|row| row.get(0));
        let owners = tidy::Owners { builders, of_public };
        let has_public: bool = client
            .query_one("select exists (select from pg_catalog.pg_namespace where nspname = 'public')", &[])
            .map_err(&sql)?
            .get(0);
        for (section, file, head) in sections {
            let public = if has_public || wish.schema.is_some() || file != PRE_DATA { "" } else { NO_PUBLIC };
            let text = tidy::tidy(&section.finish(connector, self.interrupt)?, &owners)?;
            write(&self.folder.join(file), &format!("{head}{public}{text}"))?;
        }
        Ok(())
    }

    fn rows(&self, client: &mut Client, left_out: &LeftOut, observer: &mut dyn Observer) -> Result<()> {
        let sql = own(self.connector, "reading the database");
        refuse_large_objects(client, self.connector)?;
        let mut tables = tables::read(client, &left_out.schemas).map_err(&sql)?;
        tables.retain(|table| left_out.has_table(&table.schema, &table.relation));
        let (mut done, total) = (0, tables.len() as u64);
        for some in tables.chunks(LOCKED) {
            client.batch_execute("savepoint dbbuild_rows").map_err(&sql)?;
            for table in some {
                stop_if(self.interrupt)?;
                rows::write(client, self.connector, table, &self.folder.join(DATA), &mut |message| {
                    observer.event(progress(message, Some((done, total))));
                })?;
                done += 1;
            }
            client.batch_execute("rollback to savepoint dbbuild_rows").map_err(&sql)?;
        }
        let sequences = sequences::read(client, left_out).map_err(&sql)?;
        if sequences.is_empty() {
            return Ok(());
        }
        write(&self.folder.join(SEQUENCES), &format!("{SEQUENCES_HEAD}{sequences}"))
    }
}

const PRE_HEAD: &str =
    "-- The schema as far as rows need it. Written by dbbuild, and loaded by it: not a script for psql.\n\n";
const POST_HEAD: &str =
    "-- The schema's part that needs rows. Written by dbbuild, and loaded by it: not a script for psql.\n\n";
const SEQUENCES_HEAD: &str = "-- Where the sequences stand. Written by dbbuild, and loaded by it.\n\n";

const HAS_FILLED: &str = "select exists (select from pg_catalog.pg_class where relkind = 'm' and relispopulated)";

/// The role with which `initdb` made the server has this number (`BOOTSTRAP_SUPERUSERID`).
const OF_PUBLIC: &str = "
    select pg_catalog.pg_get_userbyid(nspowner)::text
    from pg_catalog.pg_namespace
    where nspname = 'public' and nspowner = 10";

/// `pg_dump` takes the schema `public` for given, also where it was dropped.
const NO_PUBLIC: &str = "DROP SCHEMA IF EXISTS public;\n\n";

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
