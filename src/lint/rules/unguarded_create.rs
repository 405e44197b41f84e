//! CREATE of another kind that has IF NOT EXISTS, without it.

use super::super::context::Context;
use super::super::creation::{Form, unguarded};
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::guard;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::statement::Statement;
use crate::sql::{Kind, quote_literal};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-create",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "CREATE of another kind that has IF NOT EXISTS, without it",
    effect: "A second run stops with an error: the object exists.",
    remedy: "Write `IF NOT EXISTS` in front of the name. A schema with embedded elements cannot have it: create the schema first and its objects in statements of their own.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    let others = |kind: Option<Kind>| {
        !matches!(kind, None | Some(Kind::Table | Kind::ForeignTable | Kind::VirtualTable | Kind::Index))
    };
    for statement in context.statements.iter().filter(|statement| others(statement.head.kind)) {
        let head = &statement.head;
        let unguarded = unguarded(context, statement).is_some_and(|creation| creation.form == Form::IfNotExists);
        let unnamed_statistics = head.kind == Some(Kind::Statistics) && head.name.is_none();
        if !unguarded || unnamed_statistics {
            continue;
        }
        let kind = head.kind.map_or("object", Kind::name);
        let name = head.name.as_ref().map_or_else(|| "it".to_owned(), |name| format!("{kind} {name}"));
        let draft = found.report(&RULE, statement.head_span(), format!("a second run fails: {name} exists"));
        if head.kind == Some(Kind::Schema)
            && statement.tokens().has_any(&["create", "grant"])
            && has_elements(statement)
        {
            draft.help("the schema's elements must become statements of their own, each with its guard");
            draft.fix(split_elements(statement));
            continue;
        }
        let guard = guard::cased("IF NOT EXISTS ", guard::is_lower(statement));
        draft.fix(Fix::insert("add IF NOT EXISTS", head.guard_slot, guard));
    }
}

/// `CREATE SCHEMA s CREATE TABLE …`: the server refuses IF NOT EXISTS there.
fn has_elements(statement: &Statement<'_>) -> bool {
    statement.tokens_behind_name().has_any(&["create", "grant"])
}

/// A `DO` block with a test keeps the elements together.
fn split_elements(statement: &Statement<'_>) -> Option<Fix> {
    let name = statement.head.name.as_ref()?;
    let literal = quote_literal(statement.dialect, name.object());
    let query = format!("SELECT 1 FROM pg_namespace WHERE nspname = {literal}");
    Some(guard::test(statement, &guard::Test::query(false, &query)))
}
