//! What hangs on tables: constraints, indexes, triggers, rules, policies.

use super::scope::Scope;

/// An inherited check and a partition's share of a foreign key are their parents' business. A constraint that is
/// not null is told with its column.
pub(super) fn constraints(scope: &Scope) -> String {
    format!(
        "select k.tableoid as classid, k.oid, 'constraint' as kind,
                array[n.nspname, c.relname, k.conname]::text[] as name, array[n.nspname, c.relname]::text[] as \"table\",
                pg_get_constraintdef(k.oid) as definition,
                array_remove(array[
                    'with (' || (select string_agg(o, ', ' order by o collate \"C\") from unnest(ci.reloptions) o) || ')',
                    case when i.indisclustered then 'clustered' end,
                    case when i.indisreplident then 'replica identity' end
                ], null) as states,
                k.conparentid <> 0 as inherited
           from pg_constraint k
           join pg_class c on c.oid = k.conrelid
           join pg_namespace n on n.oid = c.relnamespace
           left join pg_index i on i.indexrelid = k.conindid and k.contype in ('p', 'u', 'x')
           left join pg_class ci on ci.oid = i.indexrelid
          where (k.contype in ('p', 'u', 'x') or (k.contype = 'f' and k.conparentid = 0) or (k.contype = 'c' and k.conislocal))
            and {relation}
          union all
         select k.tableoid, k.oid, 'constraint', array[n.nspname, c.typname, k.conname]::text[],
                array[n.nspname, c.typname]::text[], pg_get_constraintdef(k.oid), null, false
           from pg_constraint k
           join pg_type c on c.oid = k.contypid
           join pg_namespace n on n.oid = c.typnamespace
          where k.contype = 'c' and {domain}",
        relation = scope.on_relation("k"),
        domain = scope.on_type("k"),
    )
}

/// Without those that constraints stand for. The name is taken out of the definition.
pub(super) fn indexes(scope: &Scope) -> String {
    format!(
        "select ci.tableoid as classid, ci.oid, 'index' as kind, array[n.nspname, ci.relname]::text[] as name,
                array[n.nspname, c.relname]::text[] as \"table\",
                concat('CREATE ', case when i.indisunique then 'UNIQUE ' end, 'INDEX ON ',
                       substr(pg_get_indexdef(ci.oid),
                              length(concat('CREATE ', case when i.indisunique then 'UNIQUE ' end, 'INDEX ',
                                            quote_ident(ci.relname), ' ON ')) + 1)) as definition,
                array_remove(array[
                    case when not i.indisvalid then 'INVALID' end,
                    case when i.indisclustered then 'clustered' end,
                    case when i.indisreplident then 'replica identity' end
                ] || array(select format('column %s statistics %s', a.attnum, a.attstattarget)
                             from pg_attribute a
                            where a.attrelid = ci.oid and coalesce(a.attstattarget, -1) >= 0 order by a.attnum),
                null) as states,
                ci.relispartition as inherited
           from pg_index i
           join pg_class ci on ci.oid = i.indexrelid
           join pg_class c on c.oid = i.indrelid
           join pg_namespace n on n.oid = c.relnamespace
          where not exists (
                    -- By table too: an index of the catalog has that, and none has conindid.
                    select from pg_constraint k
                     where k.conrelid = i.indrelid and k.conindid = ci.oid and k.contype in ('p', 'u', 'x')
                )
            and {}",
        scope.on_relation("ci")
    )
}

/// A partition's copy of a trigger is told only if its state is another one.
pub(super) fn triggers_rules_policies(scope: &Scope) -> String {
    let state = |column: &str| {
        format!(
            "array_remove(array[case {column} when 'D' then 'disabled' when 'R' then 'enabled replica'
                                              when 'A' then 'enabled always' end], null)"
        )
    };
    format!(
        "select g.tableoid as classid, g.oid, 'trigger' as kind, array[n.nspname, c.relname, g.tgname]::text[] as name,
                array[n.nspname, c.relname]::text[] as \"table\", pg_get_triggerdef(g.oid) as definition,
                {trigger_state} as states
           from pg_trigger g
           join pg_class c on c.oid = g.tgrelid
           join pg_namespace n on n.oid = c.relnamespace
           left join pg_trigger p on p.oid = g.tgparentid
          where case when p.oid is null then not g.tgisinternal else g.tgenabled <> p.tgenabled and not p.tgisinternal end
            and {trigger}
          union all
         select r.tableoid, r.oid, 'rule', array[n.nspname, c.relname, r.rulename]::text[],
                array[n.nspname, c.relname]::text[], pg_get_ruledef(r.oid), {rule_state}
           from pg_rewrite r
           join pg_class c on c.oid = r.ev_class
           join pg_namespace n on n.oid = c.relnamespace
          where r.rulename <> '_RETURN' and {rule}
          union all
         select p.tableoid, p.oid, 'policy', array[n.nspname, c.relname, p.polname]::text[],
                array[n.nspname, c.relname]::text[],
                concat(
                    format('create policy %I on %I.%I', p.polname, n.nspname, c.relname),
                    case when not p.polpermissive then ' as restrictive' end,
                    ' for ', case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                                           when 'd' then 'delete' else 'all' end,
                    ' to ', (select string_agg(case when role = 0 then 'public' else role::regrole::text end, ', '
                                               order by role::regrole::text collate \"C\") from unnest(p.polroles) role),
                    E'\\n    using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                    E'\\n    with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'
                ), null
           from pg_policy p
           join pg_class c on c.oid = p.polrelid
           join pg_namespace n on n.oid = c.relnamespace
          where {policy}",
        trigger_state = state("g.tgenabled"),
        rule_state = state("r.ev_enabled"),
        trigger = scope.on_relation("g"),
        rule = scope.on_relation("r"),
        policy = scope.on_relation("p"),
    )
}
