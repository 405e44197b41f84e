//! What the tables hold, those outside the project's schemas included.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Client;

use super::connect::Connector;
use super::dump::{self, own};
use super::inspect::project_schemas;
use super::journal::Journal;
use super::link::{Link, column, rows};
use super::quote::{ident, literal, qualified};
use crate::engine::contents::{Content, Contents, again, is_read};
use crate::engine::{Result, Row};
use crate::sql::Name;

/// How many tables are asked for in one query.
const TOGETHER: usize = 100;

/// Reads it inside a transaction, row by row for the tables that are wanted so. With `before`, of the columns that
/// were read then. Whoever owns the tables reads: the login need not be able to.
pub(super) fn read(
    link: &mut Link,
    journal: &Journal,
    wanted: &BTreeSet<Name>,
    before: Option<&Contents>,
) -> Result<Contents> {
    link.lend(|client, connector, _| {
        let sql = own(connector, "reading rows");
        client.batch_execute("savepoint dbbuild_contents; set local session authorization default").map_err(&sql)?;
        let role = connector.target.owner_role.as_deref().map_or("none".to_owned(), ident);
        client.batch_execute(&format!("set local role {role}")).map_err(&sql)?;
        let contents = within(client, connector, journal, wanted, before);
        let back = "rollback to savepoint dbbuild_contents; release savepoint dbbuild_contents";
        client.batch_execute(back).map_err(&sql)?;
        contents
    })
}

/// Keeps everybody else from writing to the tables until the transaction ends: a row that came and went in between
/// would be in neither reading.
pub(super) fn hold(link: &mut Link, journal: &Journal) -> Result<()> {
    let query = format!(
        "select n.nspname as schema, c.relname as name
           from pg_catalog.pg_class c
           join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          where c.relkind = 'r' and c.relpersistence <> 't' and {}
            and pg_catalog.has_schema_privilege(n.oid, 'usage')
            and pg_catalog.has_table_privilege(c.oid, 'update, delete, truncate')
          order by 1, 2",
        project_schemas(&[], journal)
    );
    let doing = "keeping others from writing during a proof";
    let answers = link.inside(doing, &query)?;
    let name = |row| Some(qualified([column(row, "schema")?, column(row, "name")?]));
    let tables: Vec<String> = rows(&answers).filter_map(name).map(|name| format!("only {name}")).collect();
    if !tables.is_empty() {
        link.inside(doing, &format!("lock table {} in share row exclusive mode", tables.join(", ")))?;
    }
    hold_counters(link, journal)
}

/// Makes what happens to sequences a part of the transaction: an altered one gets a file of its own, which a rollback
/// forgets. Those of other owners stay as they are; event triggers would see a change where there is none.
fn hold_counters(link: &mut Link, journal: &Journal) -> Result<()> {
    let query = format!(
        "do $dbbuild$ declare one text; begin
             for one in select format('alter sequence %I.%I increment by %s', n.nspname, c.relname, s.seqincrement)
                          from pg_catalog.pg_sequence s
                          join pg_catalog.pg_class c on c.oid = s.seqrelid
                          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                         where {} and c.relpersistence <> 't' and pg_catalog.pg_has_role(c.relowner, 'usage')
                           and not exists (select from pg_catalog.pg_event_trigger where evtenabled <> 'D')
             loop execute one; end loop;
         end $dbbuild$",
        project_schemas(&[], journal)
    );
    link.inside("keeping sequences as they are during a proof", &query).map(|_| ())
}

/// Sets counters forward again that a transaction set back and could not hold: no rollback does that.
pub(super) fn put_counters_back(link: &mut Link, journal: &Journal, before: &Contents) -> Result<()> {
    let now =
        link.lend(|client, connector, _| counters(client, journal).map_err(own(connector, "reading sequences")))?;
    for (name, was) in before.counters.iter().filter(|(name, was)| now.get(*name).is_some_and(|is| is < *was)) {
        // Where numbers go down, the last one is kept with its sign turned.
        let query = format!(
            "select pg_catalog.setval({0}::regclass, {was} * pg_catalog.sign(seqincrement)::bigint)
               from pg_catalog.pg_sequence
              where seqrelid = {0}::regclass",
            literal(name)
        );
        link.own("putting a sequence back", &query)?;
    }
    Ok(())
}

fn within(
    client: &mut Client,
    connector: &Connector,
    journal: &Journal,
    wanted: &BTreeSet<Name>,
    before: Option<&Contents>,
) -> Result<Contents> {
    let sql = own(connector, "reading rows");
    client.batch_execute(dump::SETTINGS).map_err(&sql)?;
    // The columns that a statement may set, of tables that outlive the session.
    let query = format!(
        "select n.nspname::text as schema, c.relname::text as name,
                array_agg(quote_ident(a.attname) order by a.attnum) as columns
           from pg_class c
           join pg_namespace n on n.oid = c.relnamespace
           join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
          where c.relkind = 'r' and c.relpersistence <> 't' and {}
          group by c.oid, n.nspname, c.relname
          order by 1, 2",
        project_schemas(&[], journal)
    );
    let mut tables: Vec<(Name, Vec<String>)> = Vec::new();
    for row in client.query(&query, &[]).map_err(&sql)? {
        let name = Name::new([row.get::<_, String>("schema"), row.get("name")]);
        let columns = again(row.get("columns"), &name, before);
        if !columns.is_empty() {
            tables.push((name, columns));
        }
    }
    let mut contents = Contents::default();
    for tables in tables.chunks(TOGETHER) {
        let one = |(at, (name, columns)): (usize, &(Name, Vec<String>))| {
            format!(
                "select {at} as at, count(*) as rows,
                        coalesce(sum(hashtextextended(row({})::text, 0)::numeric), 0)::text as digest
                   from only {} t",
                listed(columns, ""),
                from(name)
            )
        };
        let queries: Vec<String> = tables.iter().enumerate().map(one).collect();
        for row in client.query(&queries.join("\nunion all\n"), &[]).map_err(&sql)? {
            let at = usize::try_from(row.get::<_, i32>("at")).unwrap_or_default();
            let Some((name, columns)) = tables.get(at) else { continue };
            let rows = u64::try_from(row.get::<_, i64>("rows")).unwrap_or_default();
            let content = Content { columns: columns.clone(), rows, digest: row.get("digest"), all: None };
            contents.tables.insert(name.clone(), content);
        }
    }
    for (name, content) in contents.tables.iter_mut().filter(|(name, content)| is_read(name, content.rows, wanted)) {
        let query = format!("select {} from only {} t", listed(&content.columns, "::text"), from(name));
        let answers = client.query(&query, &[]).map_err(&sql)?;
        content.all = Some(answers.iter().map(|row| (0..row.len()).map(|at| row.get(at)).collect::<Row>()).collect());
    }
    contents.counters = counters(client, journal).map_err(&sql)?;
    Ok(contents)
}

fn listed(columns: &[String], cast: &str) -> String {
    columns.iter().map(|column| format!("t.{column}{cast}")).collect::<Vec<_>>().join(", ")
}

fn from(name: &Name) -> String {
    qualified(name.parts().iter().map(String::as_str))
}

fn counters(client: &mut Client, journal: &Journal) -> std::result::Result<BTreeMap<String, i64>, postgres::Error> {
    let query = format!(
        "select quote_ident(n.nspname) || '.' || quote_ident(s.sequencename) as name,
                coalesce(s.last_value::numeric, s.start_value::numeric - s.increment_by) * sign(s.increment_by) as last
           from pg_sequences s
           join pg_namespace n on n.nspname = s.schemaname
          where {}",
        project_schemas(&[], journal)
    );
    let query = format!(
        "select name, greatest(least(last, 9223372036854775807), -9223372036854775807)::bigint as last from ({query}) s"
    );
    let rows = client.query(&query, &[])?;
    Ok(rows.iter().map(|row| (row.get("name"), row.get("last"))).collect())
}
