//! The code objects as the server has them: what each is known by, how it is spelt in statements, what it is now.

use std::collections::HashMap;

use postgres::{SimpleQueryMessage, SimpleQueryRow};

use super::super::journal::DIALECT;
use super::super::link::{Link, column, rows};
use super::super::quote::literal;
use super::super::stop::Stop;
use crate::engine::code::Owned;
use crate::sql::{Kind, Tokens};

/// One object.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub key: String,
    pub classid: String,
    pub objid: String,
    /// `view s.v`, `function s.f(integer)`, `trigger n on s.t`.
    pub spec: String,
    /// What stands behind `grant … on`.
    pub target: String,
    /// The name with its schema.
    pub bare: String,
    /// The definition's digest, with the server's major version, whose words it is in.
    pub digest: String,
    /// What others see of it: columns, arguments, result.
    pub shape: String,
    /// Changes whenever it is written.
    pub stamp: String,
}

impl Known {
    /// Returns what it is known by whatever its name: its number, and which catalog has it.
    pub fn id(&self) -> String {
        format!("{}:{}", self.classid, self.objid)
    }
}

impl From<&Known> for Owned {
    fn from(known: &Known) -> Self {
        Self {
            object: known.key.clone(),
            digest: Some(known.digest.clone()),
            id: Some(known.id()),
            stamp: Some(known.stamp.clone()),
        }
    }
}

/// Objects that one of the server's catalogs has: what they are, how they read, and what their dependents see of them.
/// Only those are asked for that are looked for: planning a query over all of them takes longer than its answer.
struct Class {
    kinds: &'static [Kind],
    /// Names of types need `search_path` to be empty.
    objects: &'static str,
    definition: &'static str,
    shape: &'static str,
}

static CLASSES: [Class; 5] = [VIEWS, INDEXES, ROUTINES, ATTACHED, EVENT_TRIGGERS];

const VIEWS: Class = Class {
    kinds: &[Kind::View, Kind::MaterializedView],
    objects: "
        select c.tableoid as classid, c.oid as objid, k.kind, k.kind || ' ' || q.name as key, k.kind || ' ' || q.name as spec,
               'table ' || q.name as target, q.name as bare,
               c.relname::text as own, n.nspname::text as schema, null::text as relation, c.xmin::text || c.ctid::text as stamp
          from pg_class c
          join pg_namespace n on n.oid = c.relnamespace,
               lateral (select case c.relkind when 'v' then 'view' else 'materialized view' end as kind) k,
               lateral (select format('%I.%I', n.nspname, c.relname) as name) q
         where c.relkind in ('v', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'",
    definition: "(select concat(pg_get_viewdef(o.objid), c.reloptions) from pg_class c where c.oid = o.objid)",
    shape: "(select string_agg(format('%I %s %s', a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation), ', '
                               order by a.attnum)
               from pg_attribute a where a.attrelid = o.objid and a.attnum > 0 and not a.attisdropped)",
};

const INDEXES: Class = Class {
    kinds: &[Kind::Index],
    objects: "
        select c.tableoid as classid, c.oid as objid, 'index' as kind, 'index ' || q.name as key, 'index ' || q.name as spec,
               null as target, q.name as bare,
               c.relname::text as own, n.nspname::text as schema, null::text as relation, c.xmin::text || c.ctid::text as stamp
          from pg_class c
          join pg_namespace n on n.oid = c.relnamespace,
               lateral (select format('%I.%I', n.nspname, c.relname) as name) q
         where c.relkind in ('i', 'I') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'",
    definition: "pg_get_indexdef(o.objid)",
    shape: "''",
};

const ROUTINES: Class = Class {
    kinds: &[Kind::Function, Kind::Procedure, Kind::Aggregate],
    objects: "
        select p.tableoid as classid, p.oid as objid, k.kind, k.kind || ' ' || q.name as key, k.kind || ' ' || q.name as spec,
               case k.kind when 'procedure' then 'procedure ' else 'function ' end || q.name as target, q.name as bare,
               p.proname::text as own, n.nspname::text as schema, null::text as relation, p.xmin::text || p.ctid::text as stamp
          from pg_proc p
          join pg_namespace n on n.oid = p.pronamespace,
               lateral (select case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind) k,
               lateral (select format('%I.%I(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes)) as name) q
         where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'",
    definition: "case o.kind when 'aggregate' then (select a::text from pg_aggregate a where a.aggfnoid = o.objid)
                             else pg_get_functiondef(o.objid) end",
    shape: "concat(pg_get_function_arguments(o.objid), ' ', pg_get_function_result(o.objid))",
};

const ATTACHED: Class = Class {
    kinds: &[Kind::Trigger, Kind::Rule, Kind::Policy],
    objects: "
        select t.classid, t.oid as objid, t.kind, format('%s %I.%I.%I', t.kind, n.nspname, c.relname, t.name) as key,
               format('%s %I on %I.%I', t.kind, t.name, n.nspname, c.relname) as spec, null as target,
               format('%I.%I', n.nspname, c.relname) as bare, t.name::text as own, n.nspname::text as schema,
               c.relname::text as relation, t.stamp
          from (select tableoid as classid, oid, 'trigger' as kind, tgname as name, tgrelid as relid, xmin::text || ctid::text as stamp
                  from pg_trigger where not tgisinternal and tgparentid = 0
                 union all
                select tableoid, oid, 'rule', rulename, ev_class, xmin::text || ctid::text
                  from pg_rewrite where rulename <> '_RETURN'
                 union all
                select tableoid, oid, 'policy', polname, polrelid, xmin::text || ctid::text from pg_policy) t
          join pg_class c on c.oid = t.relid
          join pg_namespace n on n.oid = c.relnamespace
         where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'",
    definition: "case o.kind
                     when 'trigger' then pg_get_triggerdef(o.objid)
                     when 'rule' then pg_get_ruledef(o.objid)
                     else (select concat_ws(' ', polcmd, polpermissive, polroles::regrole[]::text, pg_get_expr(polqual, polrelid),
                                            pg_get_expr(polwithcheck, polrelid)) from pg_policy where oid = o.objid)
                 end",
    shape: "''",
};

const EVENT_TRIGGERS: Class = Class {
    kinds: &[Kind::EventTrigger],
    objects: "
        select tableoid as classid, oid as objid, 'event trigger' as kind, format('event trigger %I', evtname) as key,
               format('event trigger %I', evtname) as spec, null as target, format('%I', evtname) as bare,
               evtname::text as own, null::text as schema, null::text as relation, xmin::text || ctid::text as stamp
          from pg_event_trigger",
    definition: "(select concat_ws(' ', evtevent, evtfoid::regprocedure, evttags::text) from pg_event_trigger where oid = o.objid)",
    shape: "''",
};

/// Returns the query for every object, of whatever kind.
pub(super) fn all() -> String {
    let columns = "classid, objid, kind, key, spec, target, bare, own, schema, relation, stamp";
    let each = CLASSES.iter().map(|class| format!("select {columns} from ({}) one", class.objects));
    each.collect::<Vec<_>>().join("\n union all\n")
}

/// Wraps a query so that names in what it returns are spelt in full; what the transaction had is put back.
pub(super) fn spelt_in_full(query: &str) -> String {
    format!(
        "select pg_catalog.set_config('dbbuild.path', pg_catalog.current_setting('search_path'), true);
         set local search_path = pg_catalog;
         {query};
         select pg_catalog.set_config('search_path', pg_catalog.current_setting('dbbuild.path'), true)"
    )
}

/// Reads the objects of some keys.
pub(super) fn by_keys<'a>(link: &mut Link, keys: impl IntoIterator<Item = &'a str>) -> Result<Vec<Known>, Stop> {
    let queries: Vec<String> = by_class(keys).iter().map(|(class, condition)| query(class, condition)).collect();
    read(link, &queries)
}

/// Returns those of some keys that there are objects of, with what changes whenever one is written. Their definitions
/// take ten times as long.
pub(super) fn stamps<'a>(
    link: &mut Link,
    keys: impl IntoIterator<Item = &'a str>,
) -> Result<HashMap<String, String>, Stop> {
    let one = |(class, condition): &(&Class, String)| {
        format!("select o.key, o.stamp from ({}) o where {condition}", class.objects)
    };
    let queries: Vec<String> = by_class(keys).iter().map(one).collect();
    let answers = ask(link, &queries)?;
    let stamped = |row| Some((column(row, "key")?.to_owned(), column(row, "stamp")?.to_owned()));
    Ok(rows(&answers).filter_map(stamped).collect())
}

/// Returns the condition on `o` for some keys, for each class that has some of them.
fn by_class<'a>(keys: impl IntoIterator<Item = &'a str>) -> Vec<(&'static Class, String)> {
    let mut found: Vec<(&Class, Vec<String>)> = CLASSES.iter().map(|class| (class, Vec::new())).collect();
    for key in keys {
        let Some(kind) = Kind::read(&mut Tokens::of(key, DIALECT)) else { continue };
        if let Some((_, keys)) = found.iter_mut().find(|(class, _)| class.kinds.contains(&kind)) {
            keys.push(literal(key));
        }
    }
    found.retain(|(_, keys)| !keys.is_empty());
    found.into_iter().map(|(class, keys)| (class, format!("o.key in ({})", keys.join(", ")))).collect()
}

/// Reads the objects that are known by some ids, whatever they are called.
pub(super) fn by_ids<'a>(link: &mut Link, ids: impl IntoIterator<Item = &'a str>) -> Result<Vec<Known>, Stop> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let pair = |id: &str| {
        let (class, object) = id.split_once(':').filter(|(class, object)| is_number(class) && is_number(object))?;
        Some(format!("({class}::oid, {object}::oid)"))
    };
    let pairs: Vec<String> = ids.into_iter().filter_map(pair).collect();
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let condition = format!("(o.classid, o.objid) in ({})", pairs.join(", "));
    read(link, &CLASSES.iter().map(|class| query(class, &condition)).collect::<Vec<_>>())
}

/// Reads the objects of a kind that a condition on `o` holds for.
pub(super) fn of_kind(link: &mut Link, kind: Kind, condition: &str) -> Result<Vec<Known>, Stop> {
    let class = CLASSES.iter().find(|class| class.kinds.contains(&kind));
    let condition = format!("o.kind = {} and {condition}", literal(kind.name()));
    read(link, &class.map(|class| query(class, &condition)).into_iter().collect::<Vec<_>>())
}

fn query(class: &Class, condition: &str) -> String {
    format!(
        "select o.key, o.classid::text, o.objid::text, o.spec, o.target, o.bare, o.stamp,
                current_setting('server_version_num')::int / 10000 || ':' || md5({}) as digest, {} as shape
           from ({}) o
          where {condition}",
        class.definition, class.shape, class.objects
    )
}

fn read(link: &mut Link, queries: &[String]) -> Result<Vec<Known>, Stop> {
    let answers = ask(link, queries)?;
    Ok(rows(&answers).filter(|row| column(row, "key").is_some()).map(known).collect())
}

fn ask(link: &mut Link, queries: &[String]) -> Result<Vec<SimpleQueryMessage>, Stop> {
    if queries.is_empty() {
        return Ok(Vec::new());
    }
    let query = spelt_in_full(&queries.join("\n union all\n"));
    let shown = link.connector.shown();
    link.send_own(&query).map_err(|trouble| Stop::own(trouble, "reading the code objects", &shown))
}

fn known(row: &SimpleQueryRow) -> Known {
    let text = |name: &str| column(row, name).unwrap_or_default().to_owned();
    Known {
        key: text("key"),
        classid: text("classid"),
        objid: text("objid"),
        spec: text("spec"),
        target: text("target"),
        bare: text("bare"),
        digest: text("digest"),
        shape: text("shape"),
        stamp: text("stamp"),
    }
}
