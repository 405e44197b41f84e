//! Types: enums, domains, composites, ranges, base types.

use super::scope::Scope;

/// Types that come with others (arrays, multiranges, rows of tables) are left out.
pub(super) fn types(scope: &Scope) -> String {
    format!(
        "select t.tableoid as classid, t.oid, case t.typtype when 'd' then 'domain' else 'type' end as kind,
                array[n.nspname, t.typname]::text[] as name,
                case t.typtype
                when 'e' then (
                    select format(E'create type %I.%I as enum (\\n    %s\\n)', n.nspname, t.typname,
                                  string_agg(quote_literal(e.enumlabel), E',\\n    ' order by e.enumsortorder))
                      from pg_enum e where e.enumtypid = t.oid)
                when 'c' then (
                    select format(E'create type %I.%I as (\\n    %s\\n)', n.nspname, t.typname,
                                  string_agg(concat(quote_ident(a.attname), ' ', format_type(a.atttypid, a.atttypmod),
                                      (select format(' collate %I.%I', ln.nspname, l.collname)
                                         from pg_collation l
                                         join pg_namespace ln on ln.oid = l.collnamespace
                                         join pg_type at on at.oid = a.atttypid
                                        where l.oid = a.attcollation and a.attcollation <> at.typcollation)
                                  ), E',\\n    ' order by a.attnum))
                      from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)
                when 'd' then concat(
                    format('create domain %I.%I as %s', n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod)),
                    (select format(' collate %I.%I', ln.nspname, l.collname)
                       from pg_collation l
                       join pg_namespace ln on ln.oid = l.collnamespace
                       join pg_type b on b.oid = t.typbasetype
                      where l.oid = t.typcollation and t.typcollation <> b.typcollation),
                    ' default ' || coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault),
                    case when t.typnotnull then ' not null' end)
                when 'r' then (
                    select format(E'create type %I.%I as range (\\n    %s\\n)', n.nspname, t.typname,
                        concat_ws(E',\\n    ',
                            'subtype = ' || format_type(r.rngsubtype, null),
                            (select format('subtype_opclass = %I.%I', os.nspname, o.opcname)
                               from pg_opclass o join pg_namespace os on os.oid = o.opcnamespace
                              where o.oid = r.rngsubopc and not o.opcdefault),
                            (select format('collation = %I.%I', ls.nspname, l.collname)
                               from pg_collation l join pg_namespace ls on ls.oid = l.collnamespace
                              where l.oid = r.rngcollation),
                            'canonical = ' || nullif(r.rngcanonical, 0)::regproc,
                            'subtype_diff = ' || nullif(r.rngsubdiff, 0)::regproc{multirange}))
                      from pg_range r where r.rngtypid = t.oid)
                else format(E'create type %I.%I (\\n    %s\\n)', n.nspname, t.typname,
                    concat_ws(E',\\n    ',
                        'input = ' || t.typinput, 'output = ' || t.typoutput,
                        'receive = ' || nullif(t.typreceive, 0)::regproc, 'send = ' || nullif(t.typsend, 0)::regproc,
                        'typmod_in = ' || nullif(t.typmodin, 0)::regproc, 'typmod_out = ' || nullif(t.typmodout, 0)::regproc,
                        'analyze = ' || nullif(t.typanalyze, 0)::regproc,
                        'internallength = ' || t.typlen, case when t.typbyval then 'passedbyvalue' end,
                        'alignment = ' || t.typalign::text, 'storage = ' || t.typstorage::text,
                        'category = ' || quote_literal(t.typcategory::text), case when t.typispreferred then 'preferred' end,
                        'default = ' || quote_literal(t.typdefault),
                        'element = ' || nullif(t.typelem, 0)::regtype, 'delimiter = ' || quote_literal(t.typdelim::text)))
                end as definition,
                t.typowner as owner
           from pg_type t
           join pg_namespace n on n.oid = t.typnamespace
           left join pg_class c on c.oid = t.typrelid
          where t.typtype in ('e', 'd', 'c', 'r', 'b', 'p') and (t.typtype <> 'c' or c.relkind = 'c')
            -- Found by the element's number, for which the catalog has an index; for typarray it has none.
            and not exists (select from pg_type element where element.oid = t.typelem and element.typarray = t.oid)
            and {within}
          union all
         select l.tableoid, l.oid, 'collation', array[n.nspname, l.collname]::text[],
                concat_ws(E'\\n',
                    format('create collation %I.%I', n.nspname, l.collname),
                    'provider ' || case l.collprovider when 'c' then 'libc' when 'i' then 'icu' when 'b' then 'builtin' else 'default' end,
                    'collate ' || l.collcollate, 'ctype ' || l.collctype, {locale},
                    case when not l.collisdeterministic then 'not deterministic' end{rules}),
                l.collowner
           from pg_collation l
           join pg_namespace n on n.oid = l.collnamespace
          where {collation}",
        multirange = scope.since(14, ", 'multirange_type_name = ' || r.rngmultitypid::regtype", ""),
        locale = if scope.major >= 17 {
            "'locale ' || l.colllocale"
        } else {
            scope.since(15, "'locale ' || l.colliculocale", "null")
        },
        rules = scope.since(16, ", 'rules ' || quote_literal(l.collicurules)", ""),
        within = scope.within("t", "typnamespace"),
        collation = scope.within("l", "collnamespace"),
    )
}
