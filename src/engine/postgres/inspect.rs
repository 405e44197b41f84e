//! Reads what there is to know of a database: one message on the way that builds take when nothing is to do.

use postgres::{SimpleQueryMessage, SimpleQueryRow};

use super::error::Trouble;
use super::journal::Journal;
use super::link::{Link, column, rows, value};
use super::quote::literal;
use crate::engine::{EngineError, Inspection, Result};
use crate::journal::{Entry, FORMAT, Kind, Mark, Stored, newest};
use crate::script::Checksum;

/// Reads the journal, or, without one, what is there instead.
pub(super) fn inspect(link: &mut Link, journal: &Journal, project: &str) -> Result<Inspection> {
    let found = read(link, journal, project)?;
    if found.objects.is_empty() {
        return Ok(found);
    }
    // The objects were asked for after the journal: what another builder committed in between is journaled by now,
    // since nothing is built before its entry stands or together with it.
    read(link, journal, project)
}

fn read(link: &mut Link, journal: &Journal, project: &str) -> Result<Inspection> {
    let schema = &journal.schema;
    let project = literal(project);
    // One snapshot for all; two messages could see two states. Older attempts come along: what the server needs to
    // find the newest of 5,000 entries is three times what it needs to send them all, and with 40,000 older ones as much.
    let message = format!(
        "begin transaction isolation level repeatable read, read only;
         select pg_catalog.current_setting('server_version_num') as version;
         select format::text, environment, protected::text from {schema}.environment;
         select distinct project as other from {schema}.journal
          where not exists (select from {schema}.journal where project = {project}) order by 1;
         select {entry} from {schema}.journal where project = {project} order by sequence;
         commit",
        entry = ENTRY.join(", ")
    );
    link.ready()?;
    let answers = match link.send_own(&message) {
        Ok(answers) => answers,
        // No such table, no such schema: there is no journal.
        Err(trouble) if matches!(trouble.code(), "42P01" | "3F000") => {
            link.rollback();
            return without_journal(link, journal);
        }
        Err(Trouble::Answer(failure, _)) if failure.code == "42703" => {
            link.rollback();
            return Err(EngineError::Journal(format!(
                "{schema} is not a journal of this program: {}; name another schema with `name` under [journal]",
                failure.message
            )));
        }
        Err(trouble) => {
            link.rollback();
            return Err(trouble.own("reading the journal", &link.connector.shown()));
        }
    };
    // The few single values come first.
    let (head, rest) = answers.split_at(answers.iter().take_while(|answer| !is_entry(answer)).count());
    let format: u32 = value(head, "format").and_then(|text| text.parse().ok()).unwrap_or(FORMAT);
    if format > FORMAT {
        return Err(EngineError::newer_journal(format, FORMAT));
    }
    let mark = value(head, "environment").map(|environment| Mark {
        environment: environment.to_owned(),
        protected: value(head, "protected") != Some("false"),
    });
    let entries = newest(rows(rest).map(entry).collect::<Result<_>>()?);
    let others: Vec<String> = rows(head).filter_map(|row| column(row, "other")).map(str::to_owned).collect();
    let is_empty = entries.is_empty() && others.is_empty();
    let objects = if is_empty { without_journal(link, journal)?.objects } else { Vec::new() };
    Ok(Inspection {
        journal: Some(entries),
        other_projects: others,
        mark,
        objects,
        major: major(value(head, "version")),
    })
}

fn major(version_num: Option<&str>) -> u32 {
    version_num.and_then(|text| text.parse::<u32>().ok()).unwrap_or_default() / 10_000
}

fn is_entry(answer: &SimpleQueryMessage) -> bool {
    matches!(answer, SimpleQueryMessage::Row(row) if row.len() == ENTRY.len())
}

/// The columns of an entry, by place: to look thousands of rows' columns up by name takes longer than reading them.
const ENTRY: [&str; 10] = [
    "sequence",
    "kind",
    "key",
    "attempt",
    "name",
    "checksum",
    "token_checksum",
    "state",
    "statements_done",
    "statements",
];

fn entry(row: &SimpleQueryRow) -> Result<Entry> {
    let text = |at: usize| row.try_get(at).ok().flatten().unwrap_or_default();
    let unreadable =
        |at: usize| EngineError::Journal(format!("the journal has an unreadable {}: `{}`", ENTRY[at], text(at)));
    let checksum = |at: usize| text(at).parse::<Checksum>().map_err(|_| unreadable(at));
    let number = |at: usize| text(at).parse::<i32>().map_err(|_| unreadable(at));
    Ok(Entry {
        sequence: text(0).parse().map_err(|_| unreadable(0))?,
        kind: Kind::parse(text(1)).ok_or_else(|| unreadable(1))?,
        key: text(2).to_owned(),
        attempt: number(3)?,
        name: text(4).to_owned(),
        checksum: checksum(5)?,
        token_checksum: checksum(6)?,
        state: Stored::parse(text(7)).ok_or_else(|| unreadable(7))?,
        statements_done: number(8)?,
        statements: number(9)?,
    })
}

/// Reads which objects there are, at most ten: extensions and their members, and the system's, do not count.
fn without_journal(link: &mut Link, journal: &Journal) -> Result<Inspection> {
    let query = format!(
        "begin transaction read only;
         select pg_catalog.current_setting('server_version_num') as version;
         {};
         commit",
        objects_there(&link.connector.target.schemas, journal)
    );
    let answers = link.own("reading which objects there are", &query)?;
    let objects = rows(&answers).filter_map(|row| column(row, "object")).map(str::to_owned).collect();
    Ok(Inspection {
        journal: None,
        other_projects: Vec::new(),
        mark: None,
        objects,
        major: major(value(&answers, "version")),
    })
}

/// Returns the query that names the project's objects, at most ten.
pub(super) fn objects_there(schemas: &[String], journal: &Journal) -> String {
    let schemas = project_schemas(schemas, journal);
    format!(
        "with member as (
             select classid, objid from pg_catalog.pg_depend where deptype = 'e'
         ), project as (
             select n.oid, n.nspname from pg_catalog.pg_namespace n where {schemas}
         ), object as (
             select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
                                   when 'f' then 'foreign table' when 'c' then 'type' else 'table' end as kind,
                    n.nspname, c.relname as name
               from pg_catalog.pg_class c join project n on n.oid = c.relnamespace
              where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c')
                and ('pg_catalog.pg_class'::pg_catalog.regclass, c.oid) not in (select classid, objid from member)
             union all
             select 'function', n.nspname, p.proname
               from pg_catalog.pg_proc p join project n on n.oid = p.pronamespace
              where ('pg_catalog.pg_proc'::pg_catalog.regclass, p.oid) not in (select classid, objid from member)
             union all
             select 'type', n.nspname, t.typname
               from pg_catalog.pg_type t join project n on n.oid = t.typnamespace
              where t.typtype in ('d', 'e', 'r')
                and ('pg_catalog.pg_type'::pg_catalog.regclass, t.oid) not in (select classid, objid from member)
         )
         select kind || ' ' || pg_catalog.quote_ident(nspname) || '.' || pg_catalog.quote_ident(name) as object
           from object order by kind <> 'table', nspname, name limit 10"
    )
}

/// Returns a condition on `pg_catalog.pg_namespace n` that holds for the project's schemas.
pub(super) fn project_schemas(schemas: &[String], journal: &Journal) -> String {
    if !schemas.is_empty() {
        let names: Vec<String> = schemas.iter().map(|schema| literal(schema)).collect();
        return format!("n.nspname in ({})", names.join(", "));
    }
    format!(
        "n.nspname <> 'information_schema' and n.nspname !~ '^pg_' and n.nspname not in ({}, 'dbbuild_preserved')
         and not exists (select from pg_catalog.pg_depend e where e.deptype = 'e'
                            and e.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and e.objid = n.oid)",
        literal(&journal.name)
    )
}
