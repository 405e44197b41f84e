//! Taking code objects away together with what depends on them.

use std::collections::BTreeSet;

use super::super::link::{Link, column, rows};
use super::super::stop::Stop;
use super::known::{Known, all, spelt_in_full};
use super::remark::{Remark, remarks};
use crate::engine::EngineError;

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

pub(super) struct Item {
    pub classid: String,
    pub objid: String,
    pub key: String,
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
