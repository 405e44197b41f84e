//! What a statement locks that no transaction can hold: `pg_locks` is asked on a second connection, over and over,
//! while the statement runs.
//!
//! Promise: what is told was seen. A lock that comes and goes between two questions, which are about a tenth of a
//! millisecond apart, can be missed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use postgres::Client;

use super::connect::Connector;
use super::held::SHOWN;
use super::inspect::project_schemas;
use super::link::value;
use super::session::PostgresSession;
use super::trial::hands_over;
use crate::engine::trial::Held;
use crate::engine::{Outcome, Result, Session, Unit};
use crate::event::Silent;
use crate::journal::Run;

type Answer<T> = std::result::Result<T, postgres::Error>;

/// A relation as it is at one moment.
struct Relation {
    name: String,
    file: String,
    scans: i64,
}

/// Runs and commits a unit, and tells what it was seen to hold on what was there before.
pub(super) fn watched(
    session: &mut PostgresSession,
    unit: &Unit,
    run: &Run,
    seen: &mut Vec<Held>,
) -> Result<Vec<Outcome>> {
    let connector = session.link.connector.clone();
    let schemas = project_schemas(&connector.target.schemas, &session.journal);
    let sql = |error: postgres::Error| {
        super::error::Trouble::of(&error, &connector.redactor).own("reading the locks", &connector.shown())
    };
    hands_over(session)?;
    let answers = session.link.own("reading the locks", "select pg_catalog.pg_backend_pid()::text as pid")?;
    let pid: i32 = value(&answers, "pid").and_then(|pid| pid.parse().ok()).unwrap_or_default();
    let watcher = &mut second(&connector)?;
    let before = relations(watcher, &schemas).map_err(sql)?;
    let (outcomes, noted) = {
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (is_done, client) = (&is_done, &mut *watcher);
            let look = scope.spawn(move || look(client, pid, is_done));
            let outcomes = session.apply(std::slice::from_ref(unit), run, &mut Silent);
            is_done.store(true, Ordering::Release);
            (outcomes, look.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    };
    hands_over(session)?;
    let after = relations(watcher, &schemas).map_err(sql)?;
    let held = |(relation, mode): (u32, String)| {
        let was = before.get(&relation)?;
        let is = after.get(&relation);
        Some(Held {
            on: was.name.clone(),
            mode,
            rewritten: is.is_some_and(|is| is.file != was.file && !was.file.is_empty()),
            scans: is.map_or(0, |is| u64::try_from(is.scans - was.scans).unwrap_or(0)),
        })
    };
    seen.extend(noted.map_err(sql)?.into_iter().filter_map(held));
    outcomes
}

fn second(connector: &Connector) -> Result<Client> {
    Ok(connector.connect()?.client)
}

/// Asks until the work is done, and a last time then.
fn look(client: &mut Client, pid: i32, is_done: &AtomicBool) -> Answer<BTreeSet<(u32, String)>> {
    let held = client.prepare(
        "select l.relation, l.mode
           from pg_catalog.pg_locks l
          where l.locktype = 'relation' and l.pid = $1 and l.granted",
    )?;
    let mut seen = BTreeSet::new();
    while !is_done.load(Ordering::Acquire) {
        seen.extend(client.query(&held, &[&pid])?.iter().map(|row| (row.get(0), row.get(1))));
    }
    Ok(seen)
}

fn relations(client: &mut Client, schemas: &str) -> Answer<BTreeMap<u32, Relation>> {
    let query = format!(
        "select c.oid, {SHOWN} as name, coalesce(nullif(c.relfilenode, 0)::text, '') as file,
                coalesce(pg_catalog.pg_stat_get_numscans(c.oid), 0) as scans
           from pg_catalog.pg_class c
           join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          where c.relkind in ('r', 'm', 'p', 'i', 'I', 'v', 'S') and {schemas}"
    );
    let rows = client.query(&query, &[])?;
    let relation = |row: &postgres::Row| Relation { name: row.get(1), file: row.get(2), scans: row.get(3) };
    Ok(rows.iter().map(|row| (row.get(0), relation(row))).collect())
}
