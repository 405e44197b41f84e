//! Heads of statements of every kind.

use super::super::Dialect;
use super::*;

fn shown(text: &str, dialect: Dialect) -> String {
    let head = Head::of(Tokens::of(text, dialect));
    let mut words = vec![format!("{:?}", head.verb)];
    words.extend(head.kind.map(|kind| kind.name().replace(' ', "-")));
    words.extend(head.name.map(|name| name.to_string()));
    words.extend(head.table.map(|table| format!("on:{table}")));
    let flags = [
        (head.or_replace, "or-replace"),
        (head.or_ignore, "or-ignore"),
        (head.temporary, "temporary"),
        (head.unlogged, "unlogged"),
        (head.unique, "unique"),
        (head.constraint, "constraint"),
        (head.concurrently, "concurrently"),
        (head.if_not_exists, "if-not-exists"),
        (head.if_exists, "if-exists"),
    ];
    words.extend(flags.iter().filter(|(set, _)| *set).map(|(_, flag)| format!("+{flag}")));
    words.join(" ")
}

#[test]
fn postgres_heads() {
    for (text, expected) in [
        ("CREATE TABLE Public.T (a int)", "Create table public.t"),
        ("create temp table if not exists t ()", "Create table t +temporary +if-not-exists"),
        ("create unlogged table t ()", "Create table t +unlogged"),
        (
            "create unique index concurrently if not exists i on only s.t (a)",
            "Create index i on:s.t +unique +concurrently +if-not-exists",
        ),
        ("create index on t (a)", "Create index on:t"),
        ("create or replace recursive view v(n) as select 1", "Create view v +or-replace"),
        ("create materialized view if not exists m as select 1", "Create materialized-view m +if-not-exists"),
        ("create or replace function s.f() returns int", "Create function s.f +or-replace"),
        ("create constraint trigger g after update of a on t deferrable", "Create trigger g on:t +constraint"),
        ("create event trigger e on ddl_command_end execute function f()", "Create event-trigger e"),
        ("create or replace rule r as on insert to t do instead nothing", "Create rule r on:t +or-replace"),
        ("create policy p on s.t for select using (true)", "Create policy p on:s.t"),
        ("create schema authorization joe", "Create schema"),
        ("create schema if not exists s authorization joe", "Create schema s +if-not-exists"),
        ("create user mapping if not exists for joe server s", "Create user-mapping +if-not-exists"),
        ("create user joe", "Create role joe"),
        ("create operator s.=== (leftarg = int)", "Create operator s.\"===\""),
        ("create operator class c for type int using btree as storage int", "Create operator-class c"),
        ("create cast (a as b) without function", "Create cast"),
        ("create text search configuration c (copy = simple)", "Create text-search-configuration c"),
        ("create foreign data wrapper w", "Create foreign-data-wrapper w"),
        ("create trusted language plx", "Create language plx"),
        ("create default conversion c for 'a' to 'b' from f", "Create conversion c"),
        ("create statistics if not exists st (ndistinct) on a, b from t", "Create statistics st on:t +if-not-exists"),
        ("alter table if exists only t add a int", "Alter table t +if-exists"),
        ("alter default privileges in schema s grant select on tables to x", "Alter default-privileges"),
        ("alter system set a = 1", "Alter system"),
        ("drop trigger if exists g on t cascade", "Drop trigger g on:t +if-exists"),
        ("drop index concurrently if exists s.i", "Drop index s.i +concurrently +if-exists"),
        ("comment on column s.t.c is 'x'", "Comment column s.t.c"),
        ("comment on constraint c on s.t is 'x'", "Comment constraint c on:s.t"),
        ("refresh materialized view concurrently m", "Refresh materialized-view m +concurrently"),
        ("reindex (verbose) table concurrently t", "Reindex table t +concurrently"),
        ("with a as (insert into x values (1) returning *) insert into s.t select * from a", "Insert table s.t"),
        ("(select 1) union (select 2)", "Select"),
        ("delete from only t", "Delete table t"),
        ("truncate table only t, u", "Truncate table t"),
        ("update only s.t set a = 1", "Update table s.t"),
        ("merge into t using s on true when matched then delete", "Merge table t"),
        ("copy s.t (a) from stdin", "Copy table s.t"),
        ("create table temp.t ()", "Create table temp.t"),
        ("call s.p(1)", "Call s.p"),
        ("grant select on t to x", "Grant"),
        ("\"create\" table t", "Other"),
        ("", "Other"),
    ] {
        assert_eq!(shown(text, Dialect::Postgres), expected, "{text}");
    }
}

#[test]
fn sqlite_heads() {
    for (text, expected) in [
        ("CREATE TABLE IF NOT EXISTS [My T] (a)", "Create table \"my t\" +if-not-exists"),
        ("create virtual table v using fts5(a)", "Create virtual-table v"),
        ("create temp trigger g after insert on t begin select 1; end", "Create trigger g on:t +temporary"),
        ("insert or ignore into t values (1)", "Insert table t +or-ignore"),
        ("replace into t values (1)", "Replace table t"),
        ("pragma main.user_version = 1", "Pragma main.user_version"),
        ("create table temp.t (a)", "Create table temp.t +temporary"),
    ] {
        assert_eq!(shown(text, Dialect::Sqlite), expected, "{text}");
    }
}

#[test]
fn slots_are_where_guards_go() {
    let with = |text: &str, guard: &str| {
        let slot = Head::of(Tokens::of(text, Dialect::Postgres)).guard_slot;
        format!("{}{guard} {}", text.get(..slot).unwrap_or(""), text.get(slot..).unwrap_or(""))
    };
    for (text, guard, expected) in [
        ("create table /* x */ t ()", "if not exists", "create table /* x */ if not exists t ()"),
        ("create index concurrently i on t (a)", "if not exists", "create index concurrently if not exists i on t (a)"),
        ("drop table a, b", "if exists", "drop table if exists a, b"),
        ("alter table only t add a int", "if exists", "alter table if exists only t add a int"),
        ("drop user mapping for x server y", "if exists", "drop user mapping if exists for x server y"),
    ] {
        assert_eq!(with(text, guard), expected);
    }
    let head = Head::of(Tokens::of("create view v as select 1", Dialect::Postgres));
    assert_eq!(head.replace_slot, "create".len());
}
