//! PostgreSQL's half of the product.

use std::collections::BTreeMap;

use super::{Cell, Half, Own, Texts, Under};
use crate::support::Case;

pub struct Postgres;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    View,
    Star,
    Materialized,
    TableFunction,
    Scalar,
    SetOf,
    Atomic,
    Aggregate,
    Procedure,
    Trigger,
    Rule,
    Policy,
    Index,
}

const TABLES: &str = "\
create schema if not exists {p};
create table if not exists {p}.t (id integer primary key, a integer, b text);
create table if not exists {p}.u (id integer primary key, a integer, b text);
create table if not exists {p}.log (what text);
insert into {p}.t values (1, 10, 'x') on conflict do nothing;
";

impl Half for Postgres {
    type Kind = Kind;
    const KINDS: &'static [Kind] = &[
        Kind::View,
        Kind::Star,
        Kind::Materialized,
        Kind::TableFunction,
        Kind::Scalar,
        Kind::SetOf,
        Kind::Atomic,
        Kind::Aggregate,
        Kind::Procedure,
        Kind::Trigger,
        Kind::Rule,
        Kind::Policy,
        Kind::Index,
    ];
    const STATE: &'static str = "
        with mine as (select oid from pg_namespace where nspname ~ '^c[0-9]+$')
        select md5(string_agg(line, ',' order by line)) from (
            select concat_ws(' ', 'r', oid, relname, xmin) from pg_class
             where relkind in ('v', 'm') and relnamespace in (select oid from mine)
             union all
            select concat_ws(' ', 'f', oid, proname, xmin) from pg_proc where pronamespace in (select oid from mine)
             union all
            select concat_ws(' ', 't', t.oid, tgname, t.xmin) from pg_trigger t join pg_class c on c.oid = tgrelid
             where not tgisinternal and relnamespace in (select oid from mine)
             union all
            select concat_ws(' ', 'w', r.oid, rulename, r.xmin) from pg_rewrite r join pg_class c on c.oid = ev_class
             where relnamespace in (select oid from mine)
             union all
            select concat_ws(' ', 'p', p.oid, polname, p.xmin) from pg_policy p join pg_class c on c.oid = polrelid
             where relnamespace in (select oid from mine)) s (line)";

    fn texts(cell: &Cell<Kind>) -> Option<Texts> {
        if !owns(cell.kind).contains(&cell.own) || cell.levels > levels(cell.kind) {
            return None;
        }
        Some(Texts {
            tables: TABLES.to_owned(),
            before: files(cell, Own::Stays, Under::Nothing),
            script: script(cell),
            after: files(cell, cell.own, cell.under),
        })
    }

    fn prefix(at: usize) -> String {
        format!("c{at}")
    }

    fn say(case: &Case, cell: &Cell<Kind>, prefix: &str, role: &str) {
        let mut sql = format!("grant usage on schema {prefix} to {role};\n");
        let mut relation = |name: &str, kind: &str| {
            sql += &format!(
                "grant select on {prefix}.{name} to {role} with grant option; grant insert (id) on {prefix}.{name} to {role};
                 comment on {kind} {prefix}.{name} is 'said of {name}'; comment on column {prefix}.{name}.id is 'the key';\n"
            );
        };
        if has_views(cell.kind) {
            let from = usize::from(!matches!(cell.kind, Kind::Rule | Kind::Trigger) || cell.levels > 0);
            for level in from.max(1)..=cell.levels {
                relation(&format!("d{level}"), "view");
            }
        }
        match cell.kind {
            Kind::View | Kind::Star => relation("o", "view"),
            Kind::Materialized => relation("o", "materialized view"),
            Kind::TableFunction | Kind::Scalar | Kind::SetOf | Kind::Atomic | Kind::Aggregate | Kind::Procedure => {
                let routine = if cell.kind == Kind::Procedure { "procedure" } else { "function" };
                let word = if cell.kind == Kind::Aggregate { "aggregate" } else { routine };
                let arguments = match cell.kind {
                    Kind::TableFunction | Kind::Scalar | Kind::Aggregate | Kind::Procedure => "integer",
                    _ => "",
                };
                sql += &format!(
                    "revoke execute on {routine} {prefix}.o from public; grant execute on {routine} {prefix}.o to {role};
                     comment on {word} {prefix}.o({arguments}) is 'said of o';\n"
                );
            }
            Kind::Trigger | Kind::Rule | Kind::Policy => {
                let word = format!("{:?}", cell.kind).to_lowercase();
                sql +=
                    &format!("comment on {word} o on {prefix}.{} is 'said of o';\n", stands_on(cell, Under::Nothing));
            }
            Kind::Index => sql += &format!("comment on index {prefix}.o is 'said of o';\n"),
        }
        case.execute(&sql);
    }

    fn said(case: &Case, role: &str) -> BTreeMap<String, String> {
        let query = format!(
            "select n.nspname || '.' || c.relname, has_table_privilege('{role}', c.oid, 'select with grant option'),
                    has_column_privilege('{role}', c.oid, 'id', 'insert'), obj_description(c.oid, 'pg_class'),
                    (select col_description(c.oid, a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attname = 'id')
               from pg_class c join pg_namespace n on n.oid = c.relnamespace
              where n.nspname ~ '^c[0-9]+$' and c.relkind in ('v', 'm', 'i') and (c.relkind <> 'i' or c.relname = 'o')
                and exists (select from pg_description d where d.objoid = c.oid)
              union all
             select n.nspname || '.' || p.proname, has_function_privilege('{role}', p.oid, 'execute'), has_function_privilege('public', p.oid, 'execute'),
                    obj_description(p.oid, 'pg_proc'), null
               from pg_proc p join pg_namespace n on n.oid = p.pronamespace
              where n.nspname ~ '^c[0-9]+$' and p.proname = 'o'
              union all
             select n.nspname || '.trigger', null, null, obj_description(t.oid, 'pg_trigger'), null
               from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
              where t.tgname = 'o'
              union all
             select n.nspname || '.rule', null, null, obj_description(t.oid, 'pg_rewrite'), null
               from pg_rewrite t join pg_class c on c.oid = t.ev_class join pg_namespace n on n.oid = c.relnamespace
              where t.rulename = 'o'
              union all
             select n.nspname || '.policy', null, null, obj_description(t.oid, 'pg_policy'), null
               from pg_policy t join pg_class c on c.oid = t.polrelid join pg_namespace n on n.oid = c.relnamespace
              where t.polname = 'o'"
        )
        .replace("has_column_privilege", "c.relkind <> 'i' and has_column_privilege");
        let answer = case.ask(&query);
        answer
            .lines()
            .filter_map(|line| line.split_once('|'))
            .map(|(key, said)| (key.to_owned(), said.to_owned()))
            .collect()
    }
}

/// Which changes a kind can make.
fn owns(kind: Kind) -> &'static [Own] {
    use Own::{
        Body, Emptied, Moved, Narrower, Options, OtherKind, Relabelled, Renamed, Reordered, Retyped, Stays, Wider,
    };
    match kind {
        Kind::View | Kind::Materialized => {
            &[Stays, Body, Wider, Narrower, Retyped, Relabelled, Reordered, Options, OtherKind, Renamed, Moved, Emptied]
        }
        Kind::TableFunction => {
            &[Stays, Body, Wider, Narrower, Retyped, Relabelled, Reordered, Options, Renamed, Moved, Emptied]
        }
        Kind::Scalar => &[Stays, Body, Wider, Retyped, Relabelled, Options, Renamed, Moved, Emptied],
        Kind::Star => &[Stays, Body, Options, OtherKind, Renamed, Emptied],
        Kind::SetOf | Kind::Atomic => &[Stays, Body, Options, Renamed, Emptied],
        Kind::Procedure => &[Stays, Body, Options, OtherKind, Renamed, Moved, Emptied],
        Kind::Aggregate | Kind::Trigger | Kind::Rule | Kind::Policy => &[Stays, Body, Retyped, Renamed, Moved, Emptied],
        Kind::Index => &[Stays, Body, Options, Renamed, Emptied],
    }
}

fn levels(kind: Kind) -> usize {
    match kind {
        Kind::Procedure | Kind::Policy | Kind::Index => 0,
        _ => 2,
    }
}

fn has_views(kind: Kind) -> bool {
    levels(kind) > 0
}

/// What a trigger, rule or policy is on.
fn stands_on(cell: &Cell<Kind>, under: Under) -> String {
    match (cell.kind, cell.levels) {
        (Kind::Trigger | Kind::Rule, levels @ 1..) => format!("d{levels}"),
        _ => under.source().0.to_owned(),
    }
}

fn script(cell: &Cell<Kind>) -> String {
    let text = match cell.under {
        Under::Nothing => return String::new(),
        Under::Added => return "alter table {p}.t add column if not exists extra text;\n".to_owned(),
        Under::ColumnRenamed => return "alter table {p}.t rename column a to z;\n".to_owned(),
        Under::TableRenamed => return "alter table {p}.t rename to t2;\n".to_owned(),
        Under::Dropped => "alter table {p}.t drop column if exists a;\n",
        Under::Retyped => "alter table {p}.t alter column a type bigint;\n",
        Under::Rebuilt => {
            "create table if not exists {p}.t_new (id integer primary key, a integer, b text);\n\
             insert into {p}.t_new select id, a, b from {p}.t;\ndrop table {p}.t;\nalter table {p}.t_new rename to t;\n"
        }
        Under::TableDropped => "drop table if exists {p}.t;\n",
    };
    format!("-- dbbuild: suspend-code {{p}}.o, {{p}}.t.o, {{p}}.d1, {{p}}.m1\n{text}")
}

/// The cell's code files in a state of its own and of the table.
fn files(cell: &Cell<Kind>, own: Own, under: Under) -> BTreeMap<&'static str, String> {
    let (table, a) = under.source();
    let t = format!("{{p}}.{table}");
    let name = if own == Own::Renamed { "o2" } else { "o" };
    let o = format!("{{p}}.{name}");
    let is = |wanted: Own| own == wanted;
    let pick = |wanted: Own, yes: &'static str, no: &'static str| if own == wanted { yes } else { no };
    let mut files = BTreeMap::new();
    let text = match cell.kind {
        Kind::View | Kind::Star | Kind::Materialized => {
            let columns = match (cell.kind, own) {
                (Kind::Star, _) => "*".to_owned(),
                (_, Own::Wider) => format!("id, {a} as v, b, 1 as w"),
                (_, Own::Narrower) => format!("id, {a} as v"),
                (_, Own::Retyped) => format!("id, {a}::text as v, b"),
                (_, Own::Relabelled) => format!("id, {a} as vv, b"),
                (_, Own::Reordered) => format!("b, {a} as v, id"),
                _ => format!("id, {a} as v, b"),
            };
            chain(
                &mut files,
                cell.levels,
                if is(Own::Emptied) { "select * from {p}.u".into() } else { format!("select * from {o}") },
            );
            let filter = pick(Own::Body, " where id > 0", "");
            if (cell.kind == Kind::Materialized) != is(Own::OtherKind) {
                let options = pick(Own::Options, " with (fillfactor = 70)", "");
                format!(
                    "create materialized view if not exists {o}{options} as select {columns} from {t}{filter};\n\
                     create unique index if not exists o_id on {o} (id);\n"
                )
            } else {
                let create = if cell.said { "create or replace view" } else { "create view" };
                let options = pick(Own::Options, " with (security_barrier)", "");
                format!("{create} {o}{options} as select {columns} from {t}{filter};\n")
            }
        }
        Kind::TableFunction => {
            let (result, list) = match own {
                Own::Wider => ("id integer, v integer, b text, w integer", format!("id, {a}::integer, b, 1")),
                Own::Narrower => ("id integer, v integer", format!("id, {a}::integer")),
                Own::Retyped => ("id integer, v text, b text", format!("id, {a}::text, b")),
                Own::Relabelled => ("id integer, vv integer, b text", format!("id, {a}::integer, b")),
                Own::Reordered => ("b text, v integer, id integer", format!("b, {a}::integer, id")),
                _ => ("id integer, v integer, b text", format!("id, {a}::integer, b")),
            };
            chain(
                &mut files,
                cell.levels,
                if is(Own::Emptied) { "select * from {p}.u".into() } else { format!("select * from {o}(1)") },
            );
            format!(
                "create or replace function {o}(n integer) returns table ({result}) language sql{} as 'select {list} from {t}{}';\n",
                pick(Own::Options, " stable security definer", ""),
                pick(Own::Body, " where id > n", "")
            )
        }
        Kind::Scalar => {
            let call = if is(Own::Emptied) { "id".to_owned() } else { format!("{o}(id)") };
            chain(&mut files, cell.levels, format!("select id, {call} as v, {a} as c from {t}"));
            if cell.levels > 0 {
                files.insert(
                    "w",
                    format!(
                        "create or replace function {{p}}.w() returns trigger language plpgsql as $$ begin return new; end $$;\n\
                         create trigger w before insert on {t} for each row when ({} > 0) execute function {{p}}.w();\n",
                        call.replace("id", "new.id")
                    ),
                );
            }
            let (arguments, result) = match own {
                Own::Wider => ("x integer, y integer default 1", "integer"),
                Own::Retyped => ("x bigint", "bigint"),
                Own::Relabelled => ("z integer", "integer"),
                _ => ("x integer", "integer"),
            };
            format!(
                "create or replace function {o}({arguments}) returns {result} language sql{} as 'select $1 + {}';\n",
                pick(Own::Options, " immutable strict", ""),
                pick(Own::Body, "2", "1")
            )
        }
        Kind::SetOf => {
            chain(
                &mut files,
                cell.levels,
                if is(Own::Emptied) { "select * from {p}.u".into() } else { format!("select * from {o}()") },
            );
            format!(
                "create or replace function {o}() returns setof {t} language sql stable{} as 'select * from {t}{}';\n",
                pick(Own::Options, " security definer", ""),
                pick(Own::Body, " where id > 0", "")
            )
        }
        Kind::Atomic => {
            let call = if is(Own::Emptied) { "0".to_owned() } else { format!("{o}()") };
            chain(&mut files, cell.levels, format!("select 1 as id, {call} as v"));
            format!(
                "create or replace function {o}() returns bigint language sql{} begin atomic select count({a}){} from {t}; end;\n",
                pick(Own::Options, " stable", ""),
                pick(Own::Body, " + 1", "")
            )
        }
        Kind::Aggregate => {
            let call = if is(Own::Emptied) { "max(id)".to_owned() } else { format!("{o}({a}::integer)") };
            chain(&mut files, cell.levels, format!("select 1 as id, {call} as v from {t}"));
            match own {
                Own::Retyped => format!(
                    "create or replace aggregate {o}(bigint) (sfunc = int8pl, stype = bigint, initcond = '0');\n"
                ),
                _ => format!(
                    "create or replace aggregate {o}(integer) (sfunc = int4pl, stype = integer, initcond = '{}');\n",
                    pick(Own::Body, "1", "0")
                ),
            }
        }
        Kind::Procedure if is(Own::OtherKind) => format!(
            "create or replace function {o}(x integer) returns setof text language sql as 'select b from {t}';\n"
        ),
        Kind::Procedure => format!(
            "create or replace procedure {o}(x integer) language sql{} as 'insert into {{p}}.log select b{} from {t}';\n",
            pick(Own::Options, " security definer", ""),
            pick(Own::Body, " || x", "")
        ),
        Kind::Trigger => {
            chain(&mut files, cell.levels, format!("select id, {a} as v from {t}"));
            let (timing, event) = match (cell.levels, own) {
                (0, Own::Retyped) => ("before", "update"),
                (0, _) => ("after", "insert"),
                (_, Own::Retyped) => ("instead of", "delete"),
                (_, _) => ("instead of", "insert"),
            };
            format!(
                "create or replace function {{p}}.f() returns trigger language plpgsql as $$ begin return {}; end $$;\n\
                 create trigger {name} {timing} {event} on {{p}}.{} for each row execute function {{p}}.f();\n",
                pick(Own::Body, "null", "new"),
                stands_on(cell, under)
            )
        }
        Kind::Rule => {
            chain(&mut files, cell.levels, format!("select id, {a} as v from {t}"));
            let event = pick(Own::Retyped, "delete", "insert");
            let how = if cell.levels == 0 { "also" } else { "instead" };
            format!(
                "create or replace rule {name} as on {event} to {{p}}.{} do {how} insert into {{p}}.log values ('{}');\n",
                stands_on(cell, under),
                pick(Own::Body, "new", "old")
            )
        }
        Kind::Policy => format!(
            "create policy {name} on {t} for {} using ({a} {});\n",
            pick(Own::Retyped, "delete", "select"),
            pick(Own::Body, "> 5", "is not null")
        ),
        Kind::Index => format!(
            "create index if not exists {name} on {t} ({}){};\n",
            if is(Own::Body) { "b" } else { a },
            pick(Own::Options, " with (fillfactor = 70)", "")
        ),
    };
    files.insert(
        if is(Own::Moved) { "moved" } else { "o" },
        if is(Own::Emptied) { "-- nothing\n".to_owned() } else { text },
    );
    files
}

/// A view over what the object gives, and beside it a materialized one; a view over the view, with what can be on one.
fn chain(files: &mut BTreeMap<&'static str, String>, levels: usize, query: String) {
    if levels > 0 {
        files.insert("m1", format!("create materialized view if not exists {{p}}.m1 as {query};\n"));
        files.insert("d1", format!("create view {{p}}.d1 as {query};\n"));
    }
    if levels > 1 {
        files.insert("d2", "create or replace view {p}.d2 as select id, d1.* from {p}.d1;\n".replace("id, d1.*", "*"));
        files.insert(
            "s2",
            "create or replace function {p}.s2() returns setof {p}.d1 language sql stable as 'select * from {p}.d1';\n"
                .to_owned(),
        );
        files.insert(
            "t2",
            "create or replace function {p}.t2() returns trigger language plpgsql as $$ begin return null; end $$;\n\
             create trigger t2 instead of update on {p}.d1 for each row execute function {p}.t2();\n"
                .to_owned(),
        );
        files.insert("r2", "create or replace rule r2 as on delete to {p}.d2 do instead nothing;\n".to_owned());
    }
}
