//! The locks that a transaction holds on relations, noted behind each of its statements, and what they tell: what is
//! new since the last time, and what was there before the transaction.

use std::collections::{BTreeMap, BTreeSet};

use postgres::{SimpleQueryMessage, SimpleQueryRow};

use super::link::{column, rows};
use super::quote::literal;
use crate::engine::trial::Held;

/// A relation's kind and name for people.
pub(super) const SHOWN: &str =
    "case c.relkind when 'm' then 'materialized view' when 'v' then 'view' when 'S' then 'sequence'
                          when 'i' then 'index' when 'I' then 'index' else 'table' end
                     || ' ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname)";

/// What the server has counted of a table.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    pub(super) written: u64,
    pub(super) scans: u64,
}

/// What was counted of tables, by their numbers.
pub(super) type Counters = BTreeMap<String, Counted>;

/// A lock on a relation, by the relation's number.
#[derive(Debug, Clone)]
pub(super) struct Locked {
    relation: String,
    mode: String,
    file: String,
    scans: u64,
}

/// Asks which locks this transaction holds.
pub(super) const LOCKED: &str = "
    select l.relation::text as dbbuild_locked, l.mode, coalesce(c.relfilenode::text, '') as file,
           case when c.relkind in ('r', 'm', 'p')
                then pg_catalog.pg_stat_get_xact_numscans(l.relation)::text end as scans
      from pg_catalog.pg_locks l
      left join pg_catalog.pg_class c on c.oid = l.relation
     where l.locktype = 'relation' and l.pid = pg_catalog.pg_backend_pid() and l.granted";

/// Reads a row of the answer; `before` is what was counted before the transaction. None if the row is none of it.
pub(super) fn locked(row: &SimpleQueryRow, before: &Counters) -> Option<Locked> {
    let relation = column(row, "dbbuild_locked")?.to_owned();
    let text = |name: &str| column(row, name).unwrap_or_default().to_owned();
    let counted = before.get(&relation).copied().unwrap_or_default();
    let scans = number(row, "scans").saturating_sub(counted.scans);
    Some(Locked { mode: text("mode"), file: text("file"), scans, relation })
}

/// Returns a column's number, 0 where there is none.
pub(super) fn number(row: &SimpleQueryRow, name: &str) -> u64 {
    column(row, name).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Returns the query for what some relations are called and the files they are in, where `schemas` are looked at. Who
/// sends it must see what was there before the transaction.
pub(super) fn names(numbers: &str, schemas: &str) -> String {
    format!(
        "select c.oid::text as oid, {SHOWN} as name, c.relfilenode::text as file
           from pg_catalog.pg_class c
           join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          where c.oid = any ({numbers}::oid[]) and c.relkind in ('r', 'm', 'p', 'i', 'I', 'v', 'S') and {schemas}"
    )
}

/// Returns the numbers of what is locked, as an array.
pub(super) fn numbers<'a>(noted: impl IntoIterator<Item = &'a Locked>) -> String {
    let numbers: BTreeSet<&str> = noted.into_iter().map(|locked| locked.relation.as_str()).collect();
    literal(&format!("{{{}}}", numbers.into_iter().collect::<Vec<_>>().join(",")))
}

/// Returns for each time that locks were noted those on what was there before, with what was done since the last time.
pub(super) fn told<'a>(
    noted: impl IntoIterator<Item = &'a Vec<Locked>>,
    answers: &[SimpleQueryMessage],
) -> Vec<Vec<Held>> {
    let known = |row| Some((column(row, "oid")?, (column(row, "name")?, column(row, "file")?)));
    let known: BTreeMap<&str, (&str, &str)> = rows(answers).filter_map(known).collect();
    let mut last: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
    let mut all = Vec::new();
    for noted in noted {
        let held = |locked: &Locked| {
            let (name, file) = known.get(locked.relation.as_str())?;
            let (file, scans) = last.get(locked.relation.as_str()).copied().unwrap_or((file, 0));
            Some(Held {
                on: (*name).to_owned(),
                mode: locked.mode.clone(),
                rewritten: !locked.file.is_empty() && locked.file != file && file != "0",
                scans: locked.scans.saturating_sub(scans),
            })
        };
        all.push(noted.iter().filter_map(held).collect());
        last.extend(noted.iter().map(|locked| (locked.relation.as_str(), (locked.file.as_str(), locked.scans))));
    }
    all
}
