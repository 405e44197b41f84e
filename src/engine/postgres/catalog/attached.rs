//! What can be said of any object: grants, comments, security labels, and what it needs.

use crate::engine::postgres::quote::literal;

/// Comments on everything that initdb did not make.
pub(super) const COMMENTS: &str = "
    select d.classoid as classid, d.objoid as oid, d.objsubid as subid, d.description as text
      from pg_description d
     where d.objoid >= 16384
        or (d.classoid = 'pg_namespace'::regclass and d.description <> 'standard public schema')";

/// Security labels.
pub(super) const LABELS: &str = "
    select l.classoid as classid, l.objoid as oid, l.objsubid as subid,
           format('security label for %s: %L', l.provider, l.label) as text
      from pg_seclabel l
     order by l.provider collate \"C\"";

/// Grants as they are, and as they would be by default.
pub(super) const GRANTS: &str = "
    with acl as (
        select c.tableoid as classid, c.oid, 0 as subid, (case c.relkind when 'S' then 's' else 'r' end)::\"char\" as type,
               c.relowner as owner, c.relacl as list
          from pg_class c where c.relacl is not null and c.oid >= 16384
         union all
        select 'pg_class'::regclass, a.attrelid, a.attnum, 'c', c.relowner, a.attacl
          from pg_attribute a join pg_class c on c.oid = a.attrelid
         where a.attacl is not null and a.attrelid >= 16384
         union all
        select p.tableoid, p.oid, 0, 'f', p.proowner, p.proacl from pg_proc p where p.proacl is not null and p.oid >= 16384
         union all
        select t.tableoid, t.oid, 0, 'T', t.typowner, t.typacl from pg_type t where t.typacl is not null and t.oid >= 16384
         union all
        select n.tableoid, n.oid, 0, 'n', n.nspowner, n.nspacl from pg_namespace n where n.nspacl is not null
         union all
        select l.tableoid, l.oid, 0, 'l', l.lanowner, l.lanacl from pg_language l where l.lanacl is not null and l.oid >= 16384
         union all
        select w.tableoid, w.oid, 0, 'F', w.fdwowner, w.fdwacl from pg_foreign_data_wrapper w
         where w.fdwacl is not null and w.oid >= 16384
         union all
        select s.tableoid, s.oid, 0, 'S', s.srvowner, s.srvacl from pg_foreign_server s where s.srvacl is not null and s.oid >= 16384
    )
    select acl.classid, acl.oid, acl.subid::int as subid, acl.owner, e.is_default, e.grantee,
           lower(e.privilege_type) as privilege, e.is_grantable
      from acl
     cross join lateral (
         select false as is_default, x.grantee, x.privilege_type, x.is_grantable from aclexplode(acl.list) x
          union all
         select true, x.grantee, x.privilege_type, x.is_grantable from aclexplode(acldefault(acl.type, acl.owner)) x
     ) e";

/// What views, functions, triggers, policies and defaults need. A rule stands for its view, a default for its table.
pub(super) const NEEDS: &str = "
    select distinct coalesce(r.ev_classid, f.classid, d.classid) as classid, coalesce(r.ev_class, f.adrelid, d.objid) as oid,
           d.refclassid, d.refobjid
      from pg_depend d
      left join (select oid, 'pg_class'::regclass::oid as ev_classid, ev_class from pg_rewrite where rulename = '_RETURN') r
             on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
      left join (select oid, 'pg_class'::regclass::oid as classid, adrelid from pg_attrdef) f
             on d.classid = 'pg_attrdef'::regclass and f.oid = d.objid
     where d.deptype = 'n' and d.objid >= 16384 and d.refobjid >= 16384
       and d.classid in ('pg_rewrite'::regclass, 'pg_attrdef'::regclass, 'pg_proc'::regclass, 'pg_trigger'::regclass,
                         'pg_policy'::regclass, 'pg_constraint'::regclass)
       and (coalesce(r.ev_classid, f.classid, d.classid), coalesce(r.ev_class, f.adrelid, d.objid))
           <> (d.refclassid, d.refobjid)";

/// Names of roles, and who builds here: who asks, the owner role, and whoever made the journal.
pub(super) fn roles(owner: &str, journal: &str) -> String {
    format!(
        "select r.oid, r.rolname::text as name,
                r.rolname in (session_user, current_user) or r.rolname = {}
                    or exists (select from pg_namespace n where n.nspname = {} and n.nspowner = r.oid) as builds
           from pg_roles r",
        literal(owner),
        literal(journal)
    )
}
