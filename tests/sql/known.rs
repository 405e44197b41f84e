//! Known statements, and scripts made of them.

use dbbuild::sql::Dialect;
use proptest::prelude::*;

pub fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::Postgres), Just(Dialect::Sqlite)]
}

/// Statements that are one statement each, whatever stands around them.
const POSTGRES: &[&str] = &[
    "select 1",
    "select 'a;''b'",
    "select E'\\';', $$;'$$, $a$ $$;$$ $a$",
    "select \"a;\" /* ; /* ; */ */ from t -- ;\n where a",
    "create function f() returns int begin atomic select case when 1 > 0 then 2 end; end",
    "create rule r as on insert to t do also (select 1; select 2)",
    "create table atomic (begin int)",
    "begin",
    "end",
    "do $$ begin if a then b; end if; end $$",
    "create procedure p() begin atomic end",
    "create or replace procedure s.p(a int) language sql begin atomic select 1 as end; select case a when 1 then 2 end case; end",
    "copy t from 'stdin'",
    "create function f(a int default 1) returns int return case when a > 0 then 1 else 2 end",
];
const SQLITE: &[&str] = &[
    "select 1",
    "select 'a;''b', \"c;\", [d;], `e;`",
    "create trigger g after insert on t begin select case 1 when 2 then 3 end; update t set end = 1; end",
    "create temp trigger g after insert on t begin select 1; end",
    "explain create trigger g after insert on t begin select 1; end",
    "begin",
    "end",
    "create table begin (trigger, end)",
    "select (1",
    "select ':a' -- ;\n, :a",
];
const SEPARATORS: &[&str] = &[";", ";\n", " ; ", "; -- it's\n", "; /* it's; */", ";;\n;", "/* x; */;", "-- y;\n;"];

/// A script of known statements, and those statements.
pub fn script() -> impl Strategy<Value = (Dialect, String, Vec<&'static str>)> {
    dialect().prop_flat_map(|dialect| script_in(dialect).prop_map(move |(text, known)| (dialect, text, known)))
}

/// The same, in one dialect.
pub fn script_in(dialect: Dialect) -> impl Strategy<Value = (String, Vec<&'static str>)> {
    let known = if dialect == Dialect::Postgres { POSTGRES } else { SQLITE };
    let parts = prop::collection::vec((prop::sample::select(known), prop::sample::select(SEPARATORS)), 0..12);
    parts.prop_map(|parts| {
        let text = parts.iter().map(|(statement, separator)| format!("{statement}{separator}")).collect();
        (text, parts.into_iter().map(|(statement, _)| statement).collect())
    })
}
