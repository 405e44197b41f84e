//! Where the sequences stand, verbatim: a build of the same scripts that runs twice burns values, and the file
//! must be what this database holds.

use std::fmt::Write;

use postgres::Client;

use super::LeftOut;

/// How many sequences one query reads; their locks are let go behind it.
const AT_ONCE: usize = 200;

/// Returns a `setval` for each sequence that is not as it was made.
pub(super) fn read(client: &mut Client, left_out: &LeftOut) -> Result<String, postgres::Error> {
    let found = client.query(SEQUENCES, &[&left_out.schemas])?;
    let wanted = found.iter().filter(|row| left_out.has_table(row.get(2), row.get(3)));
    let sequences: Vec<(String, String)> = wanted.map(|row| (row.get(0), row.get(1))).collect();
    let mut text = String::new();
    for some in sequences.chunks(AT_ONCE) {
        let one = |(name, start): &(String, String)| {
            format!("select last_value, is_called, last_value = {start} and not is_called as is_new from {name}")
        };
        let query = some.iter().map(one).collect::<Vec<_>>().join(" union all ");
        client.batch_execute("savepoint dbbuild_sequences")?;
        let rows = client.query(&query, &[])?;
        client.batch_execute("rollback to savepoint dbbuild_sequences")?;
        for ((name, _), row) in some.iter().zip(rows) {
            let (value, is_called, is_new): (i64, bool, bool) = (row.get(0), row.get(1), row.get(2));
            if !is_new {
                let name = crate::engine::postgres::quote::literal(name);
                // Writing to a String does not fail.
                writeln!(text, "SELECT pg_catalog.setval({name}, {value}, {is_called});").ok();
            }
        }
    }
    Ok(text)
}

/// With the table that each belongs to, or its own name. An extension's own sequences only where it calls them
/// configuration.
const SEQUENCES: &str = r#"
    select
        format('%I.%I', n.nspname, c.relname),
        s.seqstart::text,
        n.nspname::text,
        coalesce(
            (
                select t.relname
                from pg_depend d
                join pg_class t on t.oid = d.refobjid
                where d.classid = 'pg_class'::regclass and d.objid = c.oid
                  and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i') and d.refobjsubid > 0
                limit 1
            ),
            c.relname
        )::text
    from pg_class c
    join pg_sequence s on s.seqrelid = c.oid
    join pg_namespace n on n.oid = c.relnamespace
    where c.relpersistence in ('p', 'u')
      and n.nspname !~ '^pg_'
      and n.nspname <> 'information_schema'
      and n.nspname <> all ($1::text[])
      and (
          not exists (
              select
              from pg_depend d
              where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
          )
          or exists (
              select
              from pg_extension e
              where c.oid = any (e.extconfig)
          )
      )
    order by n.nspname collate "C", c.relname collate "C""#;
