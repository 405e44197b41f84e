//! Functions, procedures, window functions, aggregates.

use super::scope::Scope;

pub(super) fn routines(scope: &Scope) -> String {
    format!(
        "select p.tableoid as classid, p.oid,
                case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind,
                array[n.nspname, p.proname]::text[] as name,
                format('(%s)', pg_get_function_identity_arguments(p.oid)) as signature,
                case when p.prokind <> 'a' then rtrim(pg_get_functiondef(p.oid), E'\\n') else (
                    select concat_ws(E',\\n    ',
                        format(E'create aggregate %I.%I(%s) (\\n    sfunc = %s', n.nspname, p.proname,
                               pg_get_function_arguments(p.oid), a.aggtransfn),
                        'stype = ' || format_type(a.aggtranstype, null),
                        'sspace = ' || nullif(a.aggtransspace, 0),
                        'finalfunc = ' || nullif(a.aggfinalfn, 0)::regproc,
                        case when a.aggfinalextra then 'finalfunc_extra' end,
                        case when a.aggfinalfn <> 0 then 'finalfunc_modify = ' || a.aggfinalmodify::text end,
                        'combinefunc = ' || nullif(a.aggcombinefn, 0)::regproc,
                        'serialfunc = ' || nullif(a.aggserialfn, 0)::regproc,
                        'deserialfunc = ' || nullif(a.aggdeserialfn, 0)::regproc,
                        'initcond = ' || quote_literal(a.agginitval),
                        'msfunc = ' || nullif(a.aggmtransfn, 0)::regproc,
                        'minvfunc = ' || nullif(a.aggminvtransfn, 0)::regproc,
                        'mstype = ' || format_type(nullif(a.aggmtranstype, 0), null),
                        'msspace = ' || nullif(a.aggmtransspace, 0),
                        'mfinalfunc = ' || nullif(a.aggmfinalfn, 0)::regproc,
                        case when a.aggmfinalextra then 'mfinalfunc_extra' end,
                        case when a.aggmfinalfn <> 0 then 'mfinalfunc_modify = ' || a.aggmfinalmodify::text end,
                        'minitcond = ' || quote_literal(a.aggminitval),
                        'sortop = ' || nullif(a.aggsortop, 0)::regoperator,
                        'parallel = ' || p.proparallel::text,
                        case a.aggkind when 'h' then 'hypothetical' end
                    ) || E'\\n)'
                      from pg_aggregate a where a.aggfnoid = p.oid
                ) end as definition,
                p.proowner as owner
           from pg_proc p
           join pg_namespace n on n.oid = p.pronamespace
          -- A range's constructors come with it.
          where not exists (select from pg_depend i where i.deptype = 'i' and i.classid = p.tableoid and i.objid = p.oid)
            and {}",
        scope.routines()
    )
}
