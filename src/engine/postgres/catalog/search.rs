//! Text search, and extended statistics.

use super::scope::Scope;

pub(super) fn text_search(scope: &Scope) -> String {
    format!(
        "select g.tableoid as classid, g.oid, 'text search configuration' as kind, array[n.nspname, g.cfgname]::text[] as name,
                concat_ws(E'\\n    ',
                    format('create text search configuration %I.%I (parser = %I.%I)', n.nspname, g.cfgname, pn.nspname, p.prsname),
                    (select string_agg(format('%s with %s', token.alias, map.dictionaries), E'\\n    ' order by token.tokid)
                       from (select m.maptokentype,
                                    string_agg(m.mapdict::regdictionary::text, ', ' order by m.mapseqno) as dictionaries
                               from pg_ts_config_map m where m.mapcfg = g.oid group by 1) map
                       join ts_token_type(g.cfgparser) token on token.tokid = map.maptokentype)
                ) as definition,
                g.cfgowner as owner
           from pg_ts_config g
           join pg_namespace n on n.oid = g.cfgnamespace
           join pg_ts_parser p on p.oid = g.cfgparser
           join pg_namespace pn on pn.oid = p.prsnamespace
          where {configuration}
          union all
         select d.tableoid, d.oid, 'text search dictionary', array[n.nspname, d.dictname]::text[],
                concat(format('create text search dictionary %I.%I (template = %I.%I', n.nspname, d.dictname, tn.nspname, t.tmplname),
                       ', ' || d.dictinitoption, ')'),
                d.dictowner
           from pg_ts_dict d
           join pg_namespace n on n.oid = d.dictnamespace
           join pg_ts_template t on t.oid = d.dicttemplate
           join pg_namespace tn on tn.oid = t.tmplnamespace
          where {dictionary}
          union all
         select p.tableoid, p.oid, 'text search parser', array[n.nspname, p.prsname]::text[],
                concat(format('create text search parser %I.%I (start = %s, gettoken = %s, end = %s, lextypes = %s', n.nspname, p.prsname,
                              p.prsstart, p.prstoken, p.prsend, p.prslextype),
                       ', headline = ' || nullif(p.prsheadline, 0)::regproc, ')'),
                null
           from pg_ts_parser p
           join pg_namespace n on n.oid = p.prsnamespace
          where {parser}
          union all
         select t.tableoid, t.oid, 'text search template', array[n.nspname, t.tmplname]::text[],
                concat(format('create text search template %I.%I (lexize = %s', n.nspname, t.tmplname, t.tmpllexize),
                       ', init = ' || nullif(t.tmplinit, 0)::regproc, ')'),
                null
           from pg_ts_template t
           join pg_namespace n on n.oid = t.tmplnamespace
          where {template}",
        configuration = scope.within("g", "cfgnamespace"),
        dictionary = scope.within("d", "dictnamespace"),
        parser = scope.within("p", "prsnamespace"),
        template = scope.within("t", "tmplnamespace"),
    )
}

pub(super) fn statistics(scope: &Scope) -> String {
    format!(
        "select s.tableoid as classid, s.oid, 'statistics' as kind, array[n.nspname, s.stxname]::text[] as name,
                array[cn.nspname, c.relname]::text[] as \"table\", pg_get_statisticsobjdef(s.oid) as definition,
                array_remove(array[case when coalesce(s.stxstattarget, -1) >= 0 then 'statistics ' || s.stxstattarget end], null)
                    as states,
                s.stxowner as owner
           from pg_statistic_ext s
           join pg_namespace n on n.oid = s.stxnamespace
           join pg_class c on c.oid = s.stxrelid
           join pg_namespace cn on cn.oid = c.relnamespace
          where {}",
        scope.within("s", "stxnamespace")
    )
}
