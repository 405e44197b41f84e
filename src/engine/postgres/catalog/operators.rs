//! Operators with their classes and families, casts, conversions, transforms, languages, access methods.

use super::scope::Scope;

/// An operator that only others have named so far is none yet.
pub(super) fn operators(scope: &Scope) -> String {
    format!(
        "select o.tableoid as classid, o.oid, 'operator' as kind, array[n.nspname, o.oprname]::text[] as name,
                format('(%s, %s)', coalesce(format_type(nullif(o.oprleft, 0), null), 'none'),
                       coalesce(format_type(nullif(o.oprright, 0), null), 'none')) as signature,
                concat_ws(E',\\n    ',
                    format(E'create operator %I.%s (\\n    function = %s', n.nspname, o.oprname, o.oprcode),
                    'commutator = ' || nullif(o.oprcom, 0)::regoperator, 'negator = ' || nullif(o.oprnegate, 0)::regoperator,
                    'restrict = ' || nullif(o.oprrest, 0)::regproc, 'join = ' || nullif(o.oprjoin, 0)::regproc,
                    case when o.oprcanhash then 'hashes' end, case when o.oprcanmerge then 'merges' end
                ) || E'\\n)' as definition,
                o.oprowner as owner
           from pg_operator o
           join pg_namespace n on n.oid = o.oprnamespace
          where o.oprcode <> 0 and {operator}
          union all
         select f.tableoid, f.oid, 'operator family', array[n.nspname, f.opfname]::text[], 'using ' || m.amname,
                concat_ws(E'\\n    ',
                    format('create operator family %I.%I using %s', n.nspname, f.opfname, m.amname),
                    (select string_agg(format('operator %s %s', a.amopstrategy, a.amopopr::regoperator)
                                           || coalesce(' for order by ' || (select s.opfname from pg_opfamily s where s.oid = a.amopsortfamily), ''),
                                       E'\\n    ' order by format_type(a.amoplefttype, null) collate \"C\",
                                                  format_type(a.amoprighttype, null) collate \"C\", a.amopstrategy)
                       from pg_amop a where a.amopfamily = f.oid),
                    (select string_agg(format('function %s (%s, %s) %s', a.amprocnum, format_type(a.amproclefttype, null),
                                              format_type(a.amprocrighttype, null), a.amproc::regprocedure),
                                       E'\\n    ' order by format_type(a.amproclefttype, null) collate \"C\",
                                                  format_type(a.amprocrighttype, null) collate \"C\", a.amprocnum)
                       from pg_amproc a where a.amprocfamily = f.oid)),
                f.opfowner
           from pg_opfamily f
           join pg_namespace n on n.oid = f.opfnamespace
           join pg_am m on m.oid = f.opfmethod
          where {family}
          union all
         select o.tableoid, o.oid, 'operator class', array[n.nspname, o.opcname]::text[], 'using ' || m.amname,
                concat(format('create operator class %I.%I', n.nspname, o.opcname),
                       case when o.opcdefault then ' default' end,
                       format(' for type %s using %s family %I.%I', format_type(o.opcintype, null), m.amname, fn.nspname, f.opfname),
                       ' storage ' || format_type(nullif(o.opckeytype, 0), null)),
                o.opcowner
           from pg_opclass o
           join pg_namespace n on n.oid = o.opcnamespace
           join pg_am m on m.oid = o.opcmethod
           join pg_opfamily f on f.oid = o.opcfamily
           join pg_namespace fn on fn.oid = f.opfnamespace
          where {class}
          union all
         select v.tableoid, v.oid, 'conversion', array[n.nspname, v.conname]::text[], '',
                format('create %sconversion %I.%I for %L to %L from %s', case when v.condefault then 'default ' end,
                       n.nspname, v.conname, pg_encoding_to_char(v.conforencoding), pg_encoding_to_char(v.contoencoding), v.conproc),
                v.conowner
           from pg_conversion v
           join pg_namespace n on n.oid = v.connamespace
          where {conversion}
          union all
         select k.tableoid, k.oid, 'cast', '{{}}', format('(%s as %s)', format_type(k.castsource, null), format_type(k.casttarget, null)),
                concat(format('create cast (%s as %s)', format_type(k.castsource, null), format_type(k.casttarget, null)),
                       case k.castmethod when 'f' then ' with function ' || k.castfunc::regprocedure
                                         when 'i' then ' with inout' else ' without function' end,
                       case k.castcontext when 'a' then ' as assignment' when 'i' then ' as implicit' end),
                null
           from pg_cast k
          -- A range's cast to its multirange comes with it.
          where not exists (select from pg_depend i where i.deptype = 'i' and i.classid = k.tableoid and i.objid = k.oid)
            and {cast}
          union all
         select f.tableoid, f.oid, 'transform', '{{}}', format('(%s, %s)', format_type(f.trftype, null), l.lanname),
                concat_ws(E'\\n', format('create transform for %s language %I', format_type(f.trftype, null), l.lanname),
                          'from sql with function ' || nullif(f.trffromsql, 0)::regprocedure,
                          'to sql with function ' || nullif(f.trftosql, 0)::regprocedure),
                null
           from pg_transform f
           join pg_language l on l.oid = f.trflang
          where {transform}
          union all
         select l.tableoid, l.oid, 'language', array[l.lanname]::text[], '',
                concat('create ', case when l.lanpltrusted then 'trusted ' end, 'language ', quote_ident(l.lanname),
                       ' handler ' || nullif(l.lanplcallfoid, 0)::regproc, ' inline ' || nullif(l.laninline, 0)::regproc,
                       ' validator ' || nullif(l.lanvalidator, 0)::regproc),
                l.lanowner
           from pg_language l
          where {language}
          union all
         select m.tableoid, m.oid, 'access method', array[m.amname]::text[], '',
                format('create access method %I type %s handler %s', m.amname,
                       case m.amtype when 'i' then 'index' else 'table' end, m.amhandler),
                null
           from pg_am m
          where {method}",
        operator = scope.within("o", "oprnamespace"),
        family = scope.within("f", "opfnamespace"),
        class = scope.within("o", "opcnamespace"),
        conversion = scope.within("v", "connamespace"),
        cast = scope.beside("k"),
        transform = scope.beside("f"),
        language = scope.beside("l"),
        method = scope.beside("m"),
    )
}
