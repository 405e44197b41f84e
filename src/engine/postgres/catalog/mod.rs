//! Reads the catalog: a handful of bulk queries in one snapshot, with every setting pinned that changes a text.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use postgres::types::FromSql;
use postgres::{Client, Row};

use super::connect::Connector;
use super::dump::own;
use super::inspect::project_schemas;
use super::journal::Journal;
use crate::engine::catalog::{Catalog, Object};
use crate::engine::trial::Near;
use crate::engine::{EngineError, Result};
use crate::sql::{Dialect, Kind, Name, Tokens};

mod attached;
mod database;
mod grants;
mod operators;
mod parts;
mod reader;
mod relations;
mod reread;
mod routines;
mod rows;
mod scope;
mod search;
mod types;

pub(super) use reader::{Prepared, Reader};
pub(super) use reread::reread;
pub(super) use rows::{rows_like, rows_like_inside, seeded, whole};
pub(super) use scope::{NEAR, NEAR_ROUTINES};

use grants::{Grant, Roles};
use scope::Scope;

/// What PostgreSQL knows an object by: the catalog that it is in, its number, and a column's number.
type Id = (u32, u32, i32);

/// Reads the whole catalog, as of one moment.
pub(super) fn read(reader: &mut Reader<'_>, connector: &Connector, journal: &Journal) -> Result<Catalog> {
    let sql = own(connector, "reading the catalog");
    reader.client.batch_execute("begin isolation level repeatable read read only").map_err(&sql)?;
    let read = within(reader, connector, journal, Extent::Whole);
    // It only read; and if the connection broke, then `read` says so.
    let ended = reader.client.batch_execute("rollback").map_err(&sql);
    let catalog = read?;
    ended?;
    Ok(catalog)
}

/// What is read.
#[derive(Clone, Copy)]
pub(super) enum Extent<'a> {
    /// Everything.
    Whole,
    /// At least the objects of these kinds.
    Kinds(&'a BTreeSet<Kind>),
    /// The same, of relations and routines only those that the settings [`NEAR`] and [`NEAR_ROUTINES`] name, and no
    /// comments if none was written.
    Near(&'a Near),
}

impl Extent<'_> {
    fn has(self, some: &[Kind]) -> bool {
        match self {
            Self::Whole => true,
            Self::Kinds(kinds) => some.iter().any(|kind| kinds.contains(kind)),
            Self::Near(near) => some.iter().any(|kind| near.kinds.contains(kind)),
        }
    }
}

/// The same, inside a transaction that is open, which it leaves as it was.
pub(super) fn read_inside(
    reader: &mut Reader<'_>,
    connector: &Connector,
    journal: &Journal,
    extent: Extent<'_>,
) -> Result<Catalog> {
    let sql = own(connector, "reading the catalog");
    reader.client.batch_execute(LOOK).map_err(&sql)?;
    let read = within(reader, connector, journal, extent);
    reader.client.batch_execute(LOOKED).map_err(&sql)?;
    read
}

const LOOK: &str = "savepoint dbbuild_look";
const LOOKED: &str = "rollback to savepoint dbbuild_look; release savepoint dbbuild_look";

/// Does something in an open transaction and takes back what it set.
fn inside<T>(client: &mut Client, connector: &Connector, work: impl FnOnce(&mut Client) -> Result<T>) -> Result<T> {
    let sql = own(connector, "reading the catalog");
    client.batch_execute(LOOK).map_err(&sql)?;
    let read = work(client);
    client.batch_execute(LOOKED).map_err(&sql)?;
    read
}

fn within(reader: &mut Reader<'_>, connector: &Connector, journal: &Journal, extent: Extent<'_>) -> Result<Catalog> {
    let sql = own(connector, "reading the catalog");
    reader.begin().map_err(&sql)?;
    let condition = project_schemas(&connector.target.schemas, journal);
    let facts = reader.query(&facts(&condition)).map_err(&sql)?;
    let Some(facts) = facts.first() else { return Err(unknown("fact")) };
    let schemas: Vec<u32> = facts.get("schemas");
    let is_there: Vec<bool> = facts.get("is_there");
    let near = matches!(extent, Extent::Near(_));
    let scope = Scope::of_schemas(facts.get::<_, i32>("major").unsigned_abs(), &schemas, near);
    let roles = Roles::read(reader, connector, journal)?;

    let mut found: Vec<(Id, Object)> = Vec::new();
    let mut columns: HashMap<u32, Vec<String>> = HashMap::new();
    let questions = QUERIES.iter().zip(is_there).filter(|((some, ..), is_there)| *is_there && extent.has(some));
    for ((some, query, _), _) in questions {
        for row in reader.query(&query(&scope)).map_err(&sql)? {
            let (id, object) = object(&row, &roles).map_err(&sql)?;
            if object.kind == Kind::Column {
                columns.entry(id.1).or_default().push(object.name.object().to_owned());
            }
            debug_assert!(some.contains(&object.kind), "{} is found by another query", object.key());
            found.push((id, object));
        }
    }
    for (id, object) in &mut found {
        if object.kind == Kind::Table {
            object.columns = columns.remove(&id.1).unwrap_or_default();
        }
    }
    attach(reader, connector, &roles, extent, &mut found)?;
    if matches!(extent, Extent::Whole) {
        needs(reader, connector, &mut found)?;
    }
    let mut objects: Vec<Object> = found.into_iter().map(|(_, object)| object).collect();
    if extent.has(&[Kind::UserMapping]) {
        objects.extend(mappings(reader, connector, &roles)?);
    }
    if extent.has(&[Kind::DefaultPrivileges]) {
        objects.extend(grants::default_privileges(reader, connector, &scope.schema("n"), &roles)?);
    }
    Ok(Catalog::new(objects))
}

/// Asks for objects.
type Query = fn(&Scope) -> String;

/// What is asked, of which kinds the objects are that are found, and in which catalogs something must be that initdb
/// did not put there: else there is nothing to find, and planning the question costs more than this.
const QUERIES: [(&[Kind], Query, &[&str]); 13] = [
    (
        &[Kind::Schema, Kind::Extension, Kind::EventTrigger, Kind::Publication, Kind::ForeignDataWrapper, Kind::Server],
        database::database,
        // One of initdb's schemas is the project's.
        &[],
    ),
    (&[Kind::Table], relations::tables, &["pg_class"]),
    (&[Kind::Column], relations::columns, &["pg_class"]),
    (&[Kind::Sequence], relations::sequences, &["pg_class"]),
    (&[Kind::View, Kind::MaterializedView], relations::views, &["pg_rewrite"]),
    (&[Kind::Constraint], parts::constraints, &["pg_constraint"]),
    (&[Kind::Index], parts::indexes, &["pg_class"]),
    (
        &[Kind::Trigger, Kind::Rule, Kind::Policy],
        parts::triggers_rules_policies,
        &["pg_trigger", "pg_rewrite", "pg_policy"],
    ),
    (&[Kind::Function, Kind::Procedure, Kind::Aggregate], routines::routines, &["pg_proc"]),
    (&[Kind::Type, Kind::Domain, Kind::Collation], types::types, &["pg_type", "pg_collation"]),
    (
        &[
            Kind::Operator,
            Kind::OperatorFamily,
            Kind::OperatorClass,
            Kind::Conversion,
            Kind::Cast,
            Kind::Transform,
            Kind::Language,
            Kind::AccessMethod,
        ],
        operators::operators,
        &[
            "pg_operator",
            "pg_opfamily",
            "pg_opclass",
            "pg_conversion",
            "pg_cast",
            "pg_transform",
            "pg_language",
            "pg_am",
        ],
    ),
    (
        &[Kind::TextSearchConfiguration, Kind::TextSearchDictionary, Kind::TextSearchParser, Kind::TextSearchTemplate],
        search::text_search,
        &["pg_ts_config", "pg_ts_dict", "pg_ts_parser", "pg_ts_template"],
    ),
    (&[Kind::Statistics], search::statistics, &["pg_statistic_ext"]),
];

/// Returns the kinds that are asked for.
pub(super) fn kinds() -> impl Iterator<Item = Kind> {
    QUERIES.iter().flat_map(|(some, ..)| some.iter().copied())
}

/// Asks which server it is, which schemas are the project's, and for which questions there may be something to find.
fn facts(schemas: &str) -> String {
    let made = |catalog: &&str| format!("exists (select from {catalog} where oid >= 16384)");
    let any = |catalogs: &[&str]| match catalogs {
        [] => "true".to_owned(),
        some => some.iter().map(made).collect::<Vec<_>>().join(" or "),
    };
    let is_there: Vec<String> = QUERIES.iter().map(|(.., catalogs)| any(catalogs)).collect();
    format!(
        "select current_setting('server_version_num')::int4 / 10000 as major,
                array(select n.oid from pg_namespace n where {schemas}) as schemas,
                array[{}] as is_there",
        is_there.join(", ")
    )
}

/// Makes an object of a row; a query that knows nothing of a column leaves it out.
fn object(row: &Row, roles: &Roles) -> std::result::Result<(Id, Object), postgres::Error> {
    let kind: String = row.try_get("kind")?;
    let name: Vec<String> = row.try_get("name")?;
    let definition: Option<String> = row.try_get("definition")?;
    let kind = Kind::read(&mut Tokens::of(&kind, Dialect::Postgres)).unwrap_or(Kind::Type);
    let mut object = Object::new(kind, Name::new(name), definition.unwrap_or_default());
    object.signature = optional(row, "signature")?.unwrap_or_default();
    object.table = optional::<Vec<String>>(row, "table")?.map(Name::new);
    object.states = optional(row, "states")?.unwrap_or_default();
    object.owner = optional::<u32>(row, "owner")?.and_then(|owner| roles.foreign(owner));
    object.is_inherited = optional(row, "inherited")?.unwrap_or_default();
    let column: Option<i32> = optional(row, "subid")?;
    Ok(((row.try_get("classid")?, row.try_get("oid")?, column.unwrap_or_default()), object))
}

fn optional<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> std::result::Result<Option<T>, postgres::Error> {
    if row.columns().iter().any(|known| known.name() == column) { row.try_get(column) } else { Ok(None) }
}

/// Adds comments, labels and grants. What is said of a column that is no object of its own (a view's, a composite
/// type's) is said with its relation.
fn attach(
    reader: &mut Reader<'_>,
    connector: &Connector,
    roles: &Roles,
    extent: Extent<'_>,
    found: &mut [(Id, Object)],
) -> Result<()> {
    let sql = own(connector, "reading comments and grants");
    let mut places: HashMap<Id, usize> = found.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    let composites = "select t.tableoid, t.oid, c.tableoid, c.oid
                        from pg_type t join pg_class c on c.oid = t.typrelid and c.relkind = 'c'";
    for row in reader.query(composites).map_err(&sql)? {
        let (class, oid): (u32, u32) = (row.get(0), row.get(1));
        if let Some(at) = places.get(&(class, oid, 0)).copied() {
            places.insert((row.get(2), row.get(3), 0), at);
        }
    }
    let mut orphans: BTreeMap<(usize, i32), Vec<String>> = BTreeMap::new();
    let has_comments = !matches!(extent, Extent::Near(Near { comments: false, .. }));
    let comments = if has_comments { reader.query(attached::COMMENTS).map_err(&sql)? } else { Vec::new() };
    for row in comments {
        let (id, text) = said(&row).map_err(&sql)?;
        match (places.get(&id), places.get(&(id.0, id.1, 0))) {
            (Some(at), _) => {
                if let Some((_, object)) = found.get_mut(*at) {
                    object.comment = Some(text);
                }
            }
            (None, Some(at)) => orphans.entry((*at, id.2)).or_default().push(format!("comment: {text}")),
            (None, None) => {}
        }
    }
    let mut lines: Vec<(Id, String)> = Vec::new();
    for row in reader.query(attached::LABELS).map_err(&sql)? {
        lines.push(said(&row).map_err(&sql)?);
    }
    let mut grants: BTreeMap<Id, Vec<Grant>> = BTreeMap::new();
    let mut owners: HashMap<Id, u32> = HashMap::new();
    for row in reader.query(attached::GRANTS).map_err(&sql)? {
        let id: Id = (row.get("classid"), row.get("oid"), row.get("subid"));
        owners.insert(id, row.get("owner"));
        grants.entry(id).or_default().push(Grant::of(&row));
    }
    for (id, granted) in grants {
        let owner = owners.get(&id).copied().unwrap_or_default();
        lines.extend(grants::lines(&granted, owner, roles).into_iter().map(|line| (id, line)));
    }
    for (id, line) in lines {
        match (places.get(&id), places.get(&(id.0, id.1, 0))) {
            (Some(at), _) => found.get_mut(*at).into_iter().for_each(|(_, object)| object.grants.push(line.clone())),
            (None, Some(at)) => orphans.entry((*at, id.2)).or_default().push(line),
            (None, None) => {}
        }
    }
    of_columns(reader.client, connector, found, orphans)
}

fn said(row: &Row) -> std::result::Result<(Id, String), postgres::Error> {
    Ok(((row.try_get("classid")?, row.try_get("oid")?, row.try_get("subid")?), row.try_get("text")?))
}

fn of_columns(
    client: &mut Client,
    connector: &Connector,
    found: &mut [(Id, Object)],
    orphans: BTreeMap<(usize, i32), Vec<String>>,
) -> Result<()> {
    if orphans.is_empty() {
        return Ok(());
    }
    let sql = own(connector, "reading the columns of views");
    let names = "select coalesce(t.oid, a.attrelid), a.attnum::int, a.attname::text
                   from pg_attribute a
                   left join pg_type t on t.typrelid = a.attrelid and t.typtype = 'c'
                                      and exists (select from pg_class c where c.oid = a.attrelid and c.relkind = 'c')
                  where coalesce(t.oid, a.attrelid) = any ($1)";
    let relations: Vec<u32> = orphans.keys().filter_map(|(at, _)| found.get(*at)).map(|(id, _)| id.1).collect();
    let names: HashMap<(u32, i32), String> = client
        .query(names, &[&relations])
        .map_err(&sql)?
        .iter()
        .map(|row| ((row.get(0), row.get(1)), row.get(2)))
        .collect();
    for ((at, column), lines) in orphans {
        if let Some((id, object)) = found.get_mut(at) {
            let name = names.get(&(id.1, column)).cloned().unwrap_or_default();
            object.states.extend(lines.iter().map(|line| format!("column {}: {line}", Name::new([&name]))));
        }
    }
    Ok(())
}

fn needs(reader: &mut Reader<'_>, connector: &Connector, found: &mut [(Id, Object)]) -> Result<()> {
    let rows = reader.query(attached::NEEDS).map_err(own(connector, "reading what depends on what"))?;
    let places: HashMap<Id, usize> = found.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    let keys: Vec<String> = found.iter().map(|(_, object)| object.key()).collect();
    let mut seen: HashSet<(usize, usize)> = HashSet::new();
    for row in &rows {
        let from = places.get(&(row.get(0), row.get(1), 0));
        let to = places.get(&(row.get(2), row.get(3), 0));
        if let (Some(from), Some(to)) = (from, to)
            && seen.insert((*from, *to))
            && let (Some((_, object)), Some(key)) = (found.get_mut(*from), keys.get(*to))
        {
            object.needs.push(key.clone());
        }
    }
    found.iter_mut().for_each(|(_, object)| object.needs.sort_unstable());
    Ok(())
}

/// User mappings, without their options: those are secrets, mostly, and whoever asks may not be allowed to see them.
fn mappings(reader: &mut Reader<'_>, connector: &Connector, roles: &Roles) -> Result<Vec<Object>> {
    let rows = reader.query(database::user_mappings()).map_err(own(connector, "reading user mappings"))?;
    let mapping = |row: &Row| {
        let (role, server): (u32, String) = (row.get("role"), row.get("server"));
        let signature = format!("for {} server {}", roles.name(role), Name::new([server]));
        let definition = format!("create user mapping {signature}");
        Object { signature, ..Object::new(Kind::UserMapping, Name::new(Vec::<String>::new()), definition) }
    };
    Ok(rows.iter().map(mapping).collect())
}

/// What cannot be is told as the engine's failure, not as a panic.
fn unknown(what: &str) -> EngineError {
    EngineError::Refused {
        code: "catalog/unknown",
        message: format!("there is no {what} here"),
        place: None,
        hint: None,
    }
}
