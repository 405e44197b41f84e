//! CREATE TABLE without IF NOT EXISTS.

use super::super::context::Context;
use super::super::creation::{Form, unguarded};
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::guard;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::statement::Statement;
use crate::sql::{Dialect, Kind};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-create-table",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "CREATE TABLE without IF NOT EXISTS",
    effect: "A second run stops with an error: the table exists.",
    remedy: "Write `CREATE TABLE IF NOT EXISTS`. It says nothing about a table of another shape; `shadowed-create` finds those.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context
        .statements
        .iter()
        .filter(|statement| matches!(statement.head.kind, Some(Kind::Table | Kind::ForeignTable | Kind::VirtualTable)))
    {
        let head = &statement.head;
        if !unguarded(context, statement).is_some_and(|creation| creation.form == Form::IfNotExists) {
            continue;
        }
        let name = head.name.as_ref().map_or_else(|| "it".to_owned(), |name| format!("{} {name}", "table"));
        if head.temporary {
            let message = format!("a second run in the same session fails: temporary {name} is still there");
            found.report(&RULE, statement.head_span(), message).fix(drop_first(context, statement));
            continue;
        }
        let draft = found.report(&RULE, statement.head_span(), format!("a second run fails: {name} exists"));
        let guard = guard::cased("IF NOT EXISTS ", guard::is_lower(statement));
        draft.fix(Fix::insert("add IF NOT EXISTS", head.guard_slot, guard));
    }
}

/// Its rows must go as well. The schema keeps the DROP from a table of the same name that is there to stay.
fn drop_first(context: &Context<'_>, statement: &Statement<'_>) -> Option<Fix> {
    let name = statement.head.name.as_ref().filter(|_| !statement.embedded)?;
    let schema = match context.dialect {
        Dialect::Postgres => "pg_temp",
        Dialect::Sqlite => "temp",
    };
    let drop = guard::cased("DROP TABLE IF EXISTS ", guard::is_lower(statement));
    let line_start = context.text[..statement.span.start].rfind('\n').map_or(0, |at| at + 1);
    let indent = &context.text[line_start..statement.span.start];
    let indent: String = indent.chars().take_while(|char| char.is_whitespace()).collect();
    let text = format!("{drop}{schema}.{};\n{indent}", name.unqualified());
    Some(Fix::insert("drop it first", statement.span.start, text))
}
