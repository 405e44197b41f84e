//! What a transaction has written of the definitions, as far as the server's own catalogs tell: the relations and
//! routines that it holds locks on or has rows of, and the kinds of which something was written. Only these are read
//! again to see what is different: in a schema of some size that costs far less than everything.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog;
use super::link::{Answers, column, rows};
use crate::engine::trial::Near;
use crate::sql::Kind;

/// Catalogs of what relations consist of. Whoever writes to them holds a lock on the relation, or writes its own row
/// too.
const OF_RELATIONS: [&str; 13] = [
    "pg_class",
    "pg_attribute",
    "pg_attrdef",
    "pg_constraint",
    "pg_index",
    "pg_trigger",
    "pg_policy",
    "pg_rewrite",
    "pg_inherits",
    "pg_partitioned_table",
    "pg_sequence",
    "pg_depend",
    "pg_shdepend",
];

/// The catalog of comments.
pub(super) const COMMENTS: &str = "pg_description";

/// Kinds of what relations consist of.
const RELATIONS: [Kind; 10] = [
    Kind::Table,
    Kind::Column,
    Kind::Sequence,
    Kind::View,
    Kind::MaterializedView,
    Kind::Constraint,
    Kind::Index,
    Kind::Trigger,
    Kind::Rule,
    Kind::Policy,
];

/// Returns the kinds of which something may be different, where that is known by the catalogs that were written to.
pub(super) fn kinds(written: &BTreeSet<String>) -> Option<BTreeSet<Kind>> {
    let mut kinds = BTreeSet::from(RELATIONS);
    for catalog in written {
        match catalog.as_str() {
            known if OF_RELATIONS.contains(&known) => {}
            "pg_proc" | "pg_aggregate" => kinds.extend([Kind::Function, Kind::Procedure, Kind::Aggregate]),
            "pg_type" | "pg_enum" | "pg_range" => kinds.extend([Kind::Type, Kind::Domain]),
            "pg_statistic_ext" => kinds.extend([Kind::Statistics]),
            // A comment may be on anything.
            COMMENTS => kinds.extend(catalog::kinds()),
            _ => return None,
        }
    }
    Some(kinds)
}

/// Asks for the numbers of what a transaction has written, by its number: relations, routines (all of them if the second
/// parameter says so), types. Who drops something holds a lock on it.
pub(super) fn written() -> String {
    let own = |alias: &str| format!("{alias}.oid >= 16384 and {alias}.xmin::text::bigint >= $1::bigint % 4294967296");
    format!(
        "with locks as (
             select l.locktype, l.mode, l.relation, l.classid, l.objid
               from pg_catalog.pg_locks l
              where l.locktype in ('relation', 'object') and l.pid = pg_catalog.pg_backend_pid()
         ), written as (
             select l.relation as oid
               from locks l
              where l.locktype = 'relation' and l.mode <> 'AccessShareLock' and l.relation >= 16384
              union
             select c.oid from pg_catalog.pg_class c where {class}
              union
             select a.attrelid from pg_catalog.pg_attribute a where {attribute}
         )
         select 'r' as what, w.oid::text as oid from written w
          union
         select 'r', i.indrelid::text from pg_catalog.pg_index i join written w on w.oid = i.indexrelid
          union all
         select 'p', p.oid::text from pg_catalog.pg_proc p where {routine} or ($2::bool and p.oid >= 16384)
          union all
         select 'p', l.objid::text
           from locks l
          where l.locktype = 'object' and l.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
          union all
         select 't', t.oid::text from pg_catalog.pg_type t where {of_type}",
        class = own("c"),
        attribute = own("a").replace("a.oid", "a.attrelid"),
        routine = own("p"),
        of_type = own("t"),
    )
}

/// Makes of the answers what names are asked for.
pub(super) fn numbers(answers: &Answers) -> BTreeMap<char, BTreeSet<u32>> {
    let mut numbers: BTreeMap<char, BTreeSet<u32>> = BTreeMap::new();
    for row in rows(answers) {
        let what = column(row, "what").and_then(|what| what.chars().next());
        let number = column(row, "oid").and_then(|number| number.parse().ok());
        if let (Some(what), Some(number)) = (what, number) {
            numbers.entry(what).or_default().insert(number);
        }
    }
    numbers
}

/// Asks what they are called: relations, routines, types.
pub(super) const NAMES: &str = "
    select 'r' || c.oid as id, concat(c.relnamespace, '.', c.relname) as name
      from pg_catalog.pg_class c where c.oid = any ($1)
     union all
    select concat('r', a.attrelid, '.', a.attnum), a.attname::text
      from pg_catalog.pg_attribute a
     where a.attrelid = any ($1) and a.attnum > 0 and not a.attisdropped
     union all
    select 'p' || p.oid, concat(p.pronamespace, '.', p.proname)
      from pg_catalog.pg_proc p where p.oid = any ($2)
     union all
    select 't' || t.oid, concat(t.typnamespace, '.', t.typname)
      from pg_catalog.pg_type t where t.oid = any ($3)";

/// Returns what is put in there.
pub(super) fn parameters(numbers: &BTreeMap<char, BTreeSet<u32>>) -> String {
    ['r', 'p', 't'].map(|what| array(numbers, what)).join(", ")
}

/// Reads the names.
pub(super) fn named(answers: &Answers) -> BTreeMap<String, String> {
    rows(answers).filter_map(|row| Some((column(row, "id")?.to_owned(), column(row, "name")?.to_owned()))).collect()
}

/// Returns true if something that is in both has another name.
pub(super) fn is_renamed(near: &Near, names: &BTreeMap<String, String>) -> bool {
    names.iter().any(|(id, name)| near.names.get(id).is_some_and(|known| known != name))
}

/// Returns the statements that say which relations and routines are near.
pub(super) fn settings(near: &Near) -> String {
    let of = |what| array(&near.numbers, what);
    format!("set local {} = {};\nset local {} = {}", catalog::NEAR, of('r'), catalog::NEAR_ROUTINES, of('p'))
}

fn array(numbers: &BTreeMap<char, BTreeSet<u32>>, what: char) -> String {
    let numbers: Vec<String> = numbers.get(&what).into_iter().flatten().map(u32::to_string).collect();
    format!("'{{{}}}'", numbers.join(","))
}
