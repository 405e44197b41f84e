//! Taking code objects away together with what depends on them, and what has to be said of them again.

use std::collections::BTreeSet;

use super::super::link::{Link, column, rows};
use super::super::quote::literal;
use super::super::stop::Stop;
use super::known::{Known, all, spelt_in_full};
use crate::engine::EngineError;

/// Something to be said again of an object, once it is there. Marks stand for the object's spellings, since a function
/// may come back with another signature.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Remark {
    pub key: String,
    /// The column that it is about.
    pub column: Option<String>,
    pub statement: String,
}

/// What went.
pub(super) struct Away {
    pub keys: Vec<String>,
    pub remarks: Vec<Remark>,
}

/// Drops objects and all that depends on them, if every one of those is a code object.
pub(super) fn take(link: &mut Link, targets: &[Known], is_code: impl Fn(&str) -> bool) -> Result<Away, Stop> {
    if targets.is_empty() {
        return Ok(Away { keys: Vec::new(), remarks: Vec::new() });
    }
    let found = closure(link, targets)?;
    let strangers: BTreeSet<&str> = found
        .iter()
        .filter(|item| !targets.iter().any(|target| target.key == item.key) && !is_code(&item.key))
        .map(|item| item.described.as_str())
        .collect();
    if !strangers.is_empty() {
        return Err(stands_in_the_way(targets, &strangers).into());
    }
    let remarks = remarks(link, &found)?;
    let keys: Vec<String> = found.iter().map(|item| item.key.clone()).collect();
    let drops: Vec<String> = found.iter().map(|item| format!("drop {};", item.spec)).collect();
    let shown = link.connector.shown();
    link.send(&drops.join("\n")).map_err(|trouble| Stop::own(trouble, "dropping code objects", &shown))?;
    link.take_notices();
    Ok(Away { keys, remarks })
}

struct Item {
    classid: String,
    objid: String,
    key: String,
    spec: String,
    described: String,
}

fn stands_in_the_way(targets: &[Known], strangers: &BTreeSet<&str>) -> EngineError {
    let names: Vec<&str> = targets.iter().map(|target| target.key.as_str()).collect();
    let strangers: Vec<&str> = strangers.iter().copied().collect();
    EngineError::Refused {
        code: "code/depended-on",
        message: format!(
            "{} must be dropped to be made anew, and what is no code object depends on it: {}",
            names.join(", "),
            strangers.join(", ")
        ),
        place: None,
        hint: Some(
            "drop that in a script, or make it a code object too; what tables depend on (defaults, generated columns, \
             checks, policies) belongs into scripts"
                .into(),
        ),
    }
}

/// Finds objects and everything that depends on them, dependents first. Row types, rules of views and the like go
/// and come with what they belong to.
fn closure(link: &mut Link, targets: &[Known]) -> Result<Vec<Item>, Stop> {
    let values: Vec<String> =
        targets.iter().map(|target| format!("({}::oid, {}::oid, 0)", target.classid, target.objid)).collect();
    let query = spelt_in_full(&format!(
        "with recursive edge (classid, objid, refclassid, refobjid) as (
             select case when r.oid is null then d.classid else 'pg_class'::regclass::oid end, coalesce(r.ev_class, d.objid),
                    d.refclassid, d.refobjid
               from pg_depend d
               left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and r.rulename = '_RETURN'
              where d.deptype in ('n', 'a', 'i', 'P', 'S')
                -- A view's own rule leads back to it.
                and (r.oid is null or d.refclassid <> 'pg_class'::regclass or d.refobjid <> r.ev_class)
         ), away (classid, objid, depth) as (
             values {}
              union
             select e.classid, e.objid, a.depth + 1
               from away a
               join edge e on e.refclassid = a.classid and e.refobjid = a.objid
              where a.depth < 4000 and (e.classid, e.objid) <> (a.classid, a.objid)
         )
         select a.classid::text, a.objid::text, o.key, o.spec, pg_describe_object(a.classid, a.objid, 0) as described
           from (select classid, objid, max(depth) as depth from away group by 1, 2) a
           left join ({objects}) o on o.classid = a.classid and o.objid = a.objid
          where not (a.classid = 'pg_type'::regclass and exists (
                         select from pg_type t left join pg_type e on e.oid = t.typelem
                          where t.oid = a.objid and (t.typrelid <> 0 or e.typrelid <> 0)))
            and not (a.classid = 'pg_attrdef'::regclass and exists (
                         select from pg_attrdef d join pg_class c on c.oid = d.adrelid where d.oid = a.objid and c.relkind = 'v'))
            and not (a.classid = 'pg_class'::regclass and exists (
                         select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                          where c.oid = a.objid and n.nspname = 'pg_toast'))
            and not (a.classid = 'pg_trigger'::regclass and exists (
                         select from pg_trigger t where t.oid = a.objid and (t.tgisinternal or t.tgparentid <> 0)))
          order by a.depth desc, a.objid desc",
        values.join(", "),
        objects = all()
    ));
    let shown = link.connector.shown();
    let answers =
        link.send_own(&query).map_err(|trouble| Stop::own(trouble, "reading what depends on code objects", &shown))?;
    let text = |row, name: &str| column(row, name).unwrap_or_default().to_owned();
    Ok(rows(&answers)
        .filter(|row| column(row, "described").is_some())
        .map(|row| Item {
            classid: text(row, "classid"),
            objid: text(row, "objid"),
            key: text(row, "key"),
            spec: text(row, "spec"),
            described: text(row, "described"),
        })
        .collect())
}

/// Reads what is said of objects besides their definitions: owners, grants, comments, security labels, what is
/// switched off.
fn remarks(link: &mut Link, found: &[Item]) -> Result<Vec<Remark>, Stop> {
    let values: Vec<String> = found
        .iter()
        .map(|item| format!("({}::oid, {}::oid, {})", item.classid, item.objid, literal(&item.key)))
        .collect();
    let query = spelt_in_full(&format!(
        "with gone (classid, objid, key) as (values {}),
         held as (
             select g.key, g.classid, g.objid, c.relowner as owner, c.relacl as acl, 'r'::\"char\" as acl_kind
               from gone g join pg_class c on g.classid = 'pg_class'::regclass and c.oid = g.objid and c.relkind in ('v', 'm')
              union all
             select g.key, g.classid, g.objid, p.proowner, p.proacl, 'f'
               from gone g join pg_proc p on g.classid = 'pg_proc'::regclass and p.oid = g.objid
         ),
         said (turn, key, col, statement) as (
             select 1, key, null, format('alter \u{1}spec\u{1} owner to %I', pg_get_userbyid(owner))
               from held where pg_get_userbyid(owner) <> current_user
              union all
             select 2, key, null,
                    format($f$do $dbbuild$ declare who text; begin for who in select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end from %s a where a.grantee <> o.owner loop execute format('revoke all on %%s from %%s', \u{1}target-text\u{1}, who); end loop; end $dbbuild$$f$,
                           case acl_kind
                               when 'r' then '(select relowner as owner, relacl as acl from pg_class where oid = \u{1}bare-text\u{1}::regclass) o, aclexplode(o.acl)'
                               else '(select proowner as owner, coalesce(proacl, acldefault(''f'', proowner)) as acl from pg_proc where oid = \u{1}bare-text\u{1}::regprocedure) o, aclexplode(o.acl)'
                           end)
               from held where acl is not null
              union all
             select 3 + (a.grantor <> h.owner)::int, h.key, null,
                    case when a.grantor = h.owner then g.text
                         -- As whoever granted it; where that role may not be taken on, as the owner.
                         else format('do $dbbuild$ begin set local role %1$s; %2$s; set local role %3$I; '
                                     'exception when insufficient_privilege then %2$s; end $dbbuild$',
                                     a.grantor::regrole, g.text, current_user) end
               from held h, aclexplode(h.acl) a,
                    lateral (select concat(format('grant %s on \u{1}target\u{1} to %s', a.privilege_type,
                                                  case a.grantee when 0 then 'public' else a.grantee::regrole::text end),
                                           case when a.is_grantable then ' with grant option' end) as text) g
              where a.grantee <> h.owner
              union all
             select 5, h.key, t.attname,
                    concat(format('grant %s (%I) on \u{1}target\u{1} to %s', a.privilege_type, t.attname,
                                  case a.grantee when 0 then 'public' else a.grantee::regrole::text end),
                           case when a.is_grantable then ' with grant option' end)
               from held h
               join pg_attribute t on h.acl_kind = 'r' and t.attrelid = h.objid and t.attacl is not null,
                    aclexplode(t.attacl) a
              where a.grantee <> h.owner
              union all
             select 6, g.key, null, format('comment on \u{1}spec\u{1} is %L', d.description)
               from gone g join pg_description d on d.classoid = g.classid and d.objoid = g.objid and d.objsubid = 0
              union all
             select 6, g.key, t.attname, format('comment on column \u{1}bare\u{1}.%I is %L', t.attname, d.description)
               from gone g
               join pg_description d on d.classoid = g.classid and d.objoid = g.objid and d.objsubid > 0
               join pg_attribute t on t.attrelid = g.objid and t.attnum = d.objsubid
              where g.classid = 'pg_class'::regclass
              union all
             select 7, g.key, null, format('alter table %I.%I %s trigger %I', n.nspname, c.relname,
                        case t.tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end, t.tgname)
               from gone g
               join pg_trigger t on g.classid = 'pg_trigger'::regclass and t.oid = g.objid and t.tgenabled <> 'O'
               join pg_class c on c.oid = t.tgrelid
               join pg_namespace n on n.oid = c.relnamespace
              union all
             select 8, g.key, t.attname, format('alter view \u{1}bare\u{1} alter column %I set default %s', t.attname,
                        pg_get_expr(d.adbin, d.adrelid))
               from gone g
               join pg_attrdef d on g.classid = 'pg_class'::regclass and d.adrelid = g.objid
               join pg_attribute t on t.attrelid = d.adrelid and t.attnum = d.adnum
              union all
             select 9, g.key, null, format('security label for %I on \u{1}spec\u{1} is %L', l.provider, l.label)
               from gone g join pg_seclabel l on l.classoid = g.classid and l.objoid = g.objid and l.objsubid = 0
              union all
             select 9, g.key, t.attname, format('security label for %I on column \u{1}bare\u{1}.%I is %L', l.provider, t.attname, l.label)
               from gone g
               join pg_seclabel l on l.classoid = g.classid and l.objoid = g.objid and l.objsubid > 0
               join pg_attribute t on t.attrelid = g.objid and t.attnum = l.objsubid
              where g.classid = 'pg_class'::regclass
         )
         select key, col, statement from said order by turn, key, statement",
        values.join(", ")
    ));
    let shown = link.connector.shown();
    let answers =
        link.send_own(&query).map_err(|trouble| Stop::own(trouble, "reading what is said of code objects", &shown))?;
    Ok(rows(&answers)
        .filter_map(|row| {
            Some(Remark {
                key: column(row, "key")?.to_owned(),
                column: column(row, "col").map(str::to_owned),
                statement: column(row, "statement")?.to_owned(),
            })
        })
        .collect())
}

/// Says again of an object what was said of it, or of the one that it stands for.
pub(super) fn say(link: &mut Link, object: &Known, remarks: &[Remark]) -> Result<(), Stop> {
    let columns =
        if remarks.iter().any(|remark| remark.column.is_some()) { columns(link, object)? } else { Vec::new() };
    let quoted = |name: &str| literal(name);
    let mut statements = Vec::new();
    for remark in remarks {
        if remark.column.as_ref().is_some_and(|column| !columns.contains(column)) {
            continue;
        }
        statements.push(
            remark
                .statement
                .replace("\u{1}target-text\u{1}", &quoted(&object.target))
                .replace("\u{1}bare-text\u{1}", &quoted(&object.bare))
                .replace("\u{1}target\u{1}", &object.target)
                .replace("\u{1}spec\u{1}", &object.spec)
                .replace("\u{1}bare\u{1}", &object.bare),
        );
    }
    let shown = link.connector.shown();
    for statement in statements {
        link.send_own(&statement)
            .map_err(|trouble| Stop::own(trouble, &format!("putting back what was said of {}", object.key), &shown))?;
    }
    link.take_notices();
    Ok(())
}

fn columns(link: &mut Link, object: &Known) -> Result<Vec<String>, Stop> {
    let query = format!(
        "select attname::text as col from pg_catalog.pg_attribute where attrelid = {} and attnum > 0 and not attisdropped",
        object.objid
    );
    let shown = link.connector.shown();
    let answers = link.send_own(&query).map_err(|trouble| Stop::own(trouble, "reading a view's columns", &shown))?;
    Ok(rows(&answers).filter_map(|row| column(row, "col")).map(str::to_owned).collect())
}
