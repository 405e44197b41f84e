//! The code objects as the server has them: what each is known by, how it is spelt in statements, what it is now.

use postgres::SimpleQueryRow;

use super::super::link::{Link, column, rows};
use super::super::quote::literal;
use super::super::stop::Stop;

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

/// Every object of the kinds that code files keep. Names of types need `search_path` to be empty.
pub(super) const OBJECTS: &str = "
    select c.tableoid as classid, c.oid as objid, k.kind, k.kind || ' ' || q.name as key, k.kind || ' ' || q.name as spec,
           case k.kind when 'index' then null else 'table ' || q.name end as target, q.name as bare,
           c.relname::text as own, n.nspname::text as schema, null::text as relation, c.xmin::text || c.ctid::text as stamp
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace,
           lateral (select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'index' end as kind) k,
           lateral (select format('%I.%I', n.nspname, c.relname) as name) q
     where c.relkind in ('v', 'm', 'i', 'I') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     union all
    select p.tableoid, p.oid, k.kind, k.kind || ' ' || q.name, k.kind || ' ' || q.name,
           case k.kind when 'procedure' then 'procedure ' else 'function ' end || q.name, q.name,
           p.proname, n.nspname, null, p.xmin::text || p.ctid::text
      from pg_proc p
      join pg_namespace n on n.oid = p.pronamespace,
           lateral (select case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind) k,
           lateral (select format('%I.%I(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes)) as name) q
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     union all
    select t.classid, t.oid, t.kind, format('%s %I.%I.%I', t.kind, n.nspname, c.relname, t.name),
           format('%s %I on %I.%I', t.kind, t.name, n.nspname, c.relname), null,
           format('%I.%I', n.nspname, c.relname), t.name, n.nspname, c.relname, t.stamp
      from (select tableoid as classid, oid, 'trigger' as kind, tgname as name, tgrelid as relid, xmin::text || ctid::text as stamp
              from pg_trigger where not tgisinternal and tgparentid = 0
             union all
            select tableoid, oid, 'rule', rulename, ev_class, xmin::text || ctid::text
              from pg_rewrite where rulename <> '_RETURN'
             union all
            select tableoid, oid, 'policy', polname, polrelid, xmin::text || ctid::text from pg_policy) t
      join pg_class c on c.oid = t.relid
      join pg_namespace n on n.oid = c.relnamespace
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     union all
    select tableoid, oid, 'event trigger', format('event trigger %I', evtname), format('event trigger %I', evtname), null,
           format('%I', evtname), evtname, null, null, xmin::text || ctid::text
      from pg_event_trigger";

const DEFINITION: &str = "
    case o.kind
        when 'view' then (select concat(pg_get_viewdef(o.objid), c.reloptions) from pg_class c where c.oid = o.objid)
        when 'materialized view' then (select concat(pg_get_viewdef(o.objid), c.reloptions) from pg_class c where c.oid = o.objid)
        when 'index' then pg_get_indexdef(o.objid)
        when 'function' then pg_get_functiondef(o.objid)
        when 'procedure' then pg_get_functiondef(o.objid)
        when 'aggregate' then (select a::text from pg_aggregate a where a.aggfnoid = o.objid)
        when 'trigger' then pg_get_triggerdef(o.objid)
        when 'rule' then pg_get_ruledef(o.objid)
        when 'policy' then (select concat_ws(' ', polcmd, polpermissive, polroles::regrole[]::text, pg_get_expr(polqual, polrelid),
                                             pg_get_expr(polwithcheck, polrelid)) from pg_policy where oid = o.objid)
        else (select concat_ws(' ', evtevent, evtfoid::regprocedure, evttags::text) from pg_event_trigger where oid = o.objid)
    end";

const SHAPE: &str = "
    case when o.kind in ('view', 'materialized view') then
            (select string_agg(format('%I %s %s', a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation), ', '
                               order by a.attnum)
               from pg_attribute a where a.attrelid = o.objid and a.attnum > 0 and not a.attisdropped)
         when o.kind in ('function', 'procedure', 'aggregate') then
            concat(pg_get_function_arguments(o.objid), ' ', pg_get_function_result(o.objid))
         else '' end";

/// Wraps a query so that names in what it returns are spelt in full; what the transaction had is put back.
pub(super) fn spelt_in_full(query: &str) -> String {
    format!(
        "select pg_catalog.set_config('dbbuild.path', pg_catalog.current_setting('search_path'), true);
         set local search_path = pg_catalog;
         {query};
         select pg_catalog.set_config('search_path', pg_catalog.current_setting('dbbuild.path'), true)"
    )
}

/// Reads the objects that a condition on `o` holds for.
pub(super) fn read(link: &mut Link, condition: &str) -> Result<Vec<Known>, Stop> {
    let query = spelt_in_full(&format!(
        "select o.key, o.classid::text, o.objid::text, o.spec, o.target, o.bare, o.stamp,
                current_setting('server_version_num')::int / 10000 || ':' || md5({DEFINITION}) as digest, {SHAPE} as shape
           from ({OBJECTS}) o
          where {condition}"
    ));
    let shown = link.connector.shown();
    let answers = link.send_own(&query).map_err(|trouble| Stop::own(trouble, "reading the code objects", &shown))?;
    Ok(rows(&answers).filter(|row| column(row, "key").is_some()).map(known).collect())
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

/// Returns the condition for objects by their keys.
pub(super) fn by_keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> String {
    let keys: Vec<String> = keys.into_iter().map(literal).collect();
    if keys.is_empty() { "false".to_owned() } else { format!("o.key in ({})", keys.join(", ")) }
}
