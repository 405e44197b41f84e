//! What is in the database but in no schema: schemas themselves, extensions, event triggers, publications, foreign
//! data. Options that may hold a secret are told without their value.

use super::scope::Scope;

pub(super) fn database(scope: &Scope) -> String {
    format!(
        "select n.tableoid as classid, n.oid, 'schema' as kind, array[n.nspname]::text[] as name, '' as signature,
                format('create schema %I', n.nspname) as definition, null::text[] as states,
                -- initdb's schemas belong to whoever ran it.
                case when n.oid >= 16384 then n.nspowner end as owner
           from pg_namespace n
          where {schema}
          union all
         select e.tableoid, e.oid, 'extension', array[e.extname]::text[], '',
                format('create extension %I with schema %I', e.extname, n.nspname), null, null
           from pg_extension e
           join pg_namespace n on n.oid = e.extnamespace
          where e.oid >= 16384
          union all
         select v.tableoid, v.oid, 'event trigger', array[v.evtname]::text[], '',
                concat(format('create event trigger %I on %s', v.evtname, v.evtevent),
                       format(E'\\n    when tag in (%s)', (select string_agg(quote_literal(tag), ', ' order by tag collate \"C\")
                                                          from unnest(v.evttags) tag having count(*) > 0)),
                       format(E'\\n    execute function %s()', v.evtfoid::regproc)),
                array_remove(array[case v.evtenabled when 'D' then 'disabled' when 'R' then 'enabled replica'
                                                     when 'A' then 'enabled always' end], null),
                v.evtowner
           from pg_event_trigger v
          where {event_trigger}
          union all
         select p.tableoid, p.oid, 'publication', array[p.pubname]::text[], '',
                concat_ws(E'\\n    ',
                    format('create publication %I', p.pubname),
                    case when p.puballtables then 'for all tables' end,
                    (select string_agg(format('for table %s', r.prrelid::regclass) || {published}, E'\\n    '
                                       order by r.prrelid::regclass::text collate \"C\")
                       from pg_publication_rel r where r.prpubid = p.oid),
                    {namespaces},
                    concat('publish ', concat_ws(', ', case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
                                       case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end)),
                    case when p.pubviaroot then 'via partition root' end{generated}
                ), null, p.pubowner
           from pg_publication p
          where {publication}
          union all
         select w.tableoid, w.oid, 'foreign data wrapper', array[w.fdwname]::text[], '',
                concat_ws(E'\\n    ', format('create foreign data wrapper %I', w.fdwname),
                          'handler ' || nullif(w.fdwhandler, 0)::regproc, 'validator ' || nullif(w.fdwvalidator, 0)::regproc,
                          'options (' || {wrapper_options} || ')'),
                null, w.fdwowner
           from pg_foreign_data_wrapper w
          where {wrapper}
          union all
         select s.tableoid, s.oid, 'server', array[s.srvname]::text[], '',
                concat_ws(E'\\n    ', format('create server %I', s.srvname), 'type ' || quote_literal(s.srvtype),
                          'version ' || quote_literal(s.srvversion), format('foreign data wrapper %I', w.fdwname),
                          'options (' || {server_options} || ')'),
                null, s.srvowner
           from pg_foreign_server s
           join pg_foreign_data_wrapper w on w.oid = s.srvfdw
          where {server}",
        schema = scope.schema("n"),
        event_trigger = scope.beside("v"),
        publication = scope.beside("p"),
        wrapper = scope.beside("w"),
        server = scope.beside("s"),
        wrapper_options = options("w.fdwoptions"),
        server_options = options("s.srvoptions"),
        published = scope.since(
            15,
            "concat(
                 (select format(' (%s)', string_agg(quote_ident(a.attname), ', ' order by a.attnum))
                    from pg_attribute a
                   where a.attrelid = r.prrelid and a.attnum = any (r.prattrs) having count(*) > 0),
                 ' where (' || pg_get_expr(r.prqual, r.prrelid) || ')')",
            "''"
        ),
        namespaces = scope.since(
            15,
            "(select string_agg(format('for tables in schema %s', x.pnnspid::regnamespace), E'\\n    '
                                order by x.pnnspid::regnamespace::text collate \"C\")
                from pg_publication_namespace x where x.pnpubid = p.oid)",
            "null"
        ),
        generated = scope.since(18, ", 'generated columns ' || nullif(p.pubgencols::text, 'n')", ""),
    )
}

/// The options of a wrapper, server or mapping: the value of one that sounds like a secret is not told.
fn options(column: &str) -> String {
    format!(
        "(select string_agg(
             case when split_part(o, '=', 1) ~* 'pass|secret|token|credential|key'
                  then split_part(o, '=', 1) || '=…' else o end,
             ', ' order by o collate \"C\")
            from unnest({column}) o)"
    )
}

/// Mappings of those who build are anybody's who builds.
pub(super) fn user_mappings() -> &'static str {
    "select m.umuser as role, m.srvname::text as server
       from pg_user_mappings m
      order by m.srvname collate \"C\", m.umuser"
}

/// What is granted on things to come: rows of a role, a schema, a kind, and one grant.
pub(super) fn default_privileges(schemas: &str) -> String {
    format!(
        "select d.defaclrole as owner, n.nspname::text as schema,
                case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
                                     when 'T' then 'types' when 'n' then 'schemas' else 'large objects' end as objects,
                e.is_default, e.grantee, lower(e.privilege_type) as privilege, e.is_grantable
           from pg_default_acl d
           left join pg_namespace n on n.oid = d.defaclnamespace
          cross join lateral (
              select false as is_default, x.grantee, x.privilege_type, x.is_grantable from aclexplode(d.defaclacl) x
               union all
              select true, x.grantee, x.privilege_type, x.is_grantable
                from aclexplode(case when d.defaclnamespace = 0
                                     then acldefault((case d.defaclobjtype when 'S' then 's' else d.defaclobjtype end)::\"char\", d.defaclrole)
                                end) x
          ) e
          where d.defaclnamespace = 0 or {schemas}"
    )
}
