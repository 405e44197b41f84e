//! ATTACH or DETACH PARTITION, INHERIT or NO INHERIT, NOT OF without a test.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::statement::Statement;
use crate::sql::{Action, ActionKind, Kind, Name, quote_literal};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-partition",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "ATTACH or DETACH PARTITION, INHERIT or NO INHERIT, NOT OF without a test",
    effect: "A second run stops with an error: the partition is attached (or detached) already.",
    remedy: "Put it into a `DO` block that asks pg_inherits. `DETACH … CONCURRENTLY` cannot stand in one: use a guard directive.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    let tables = |statement: &&Statement<'_>| matches!(statement.head.kind, Some(Kind::Table | Kind::ForeignTable));
    for statement in context.statements.iter().filter(tables) {
        let Some(table) = &statement.head.name else { continue };
        if statement.is_guarded() || statement.caught().is_some() {
            continue;
        }
        for action in &statement.actions {
            if statement.part(action.span).clone().eat_words(&["not", "of"]) {
                let draft = found.report(&RULE, action.span, format!("a second run fails: {table} is of no type"));
                let query = format!(
                    "SELECT 1 FROM pg_class WHERE oid = to_regclass({}) AND reloftype <> 0",
                    quote_literal(context.dialect, &table.to_string())
                );
                draft.fix(guard::test(statement, &guard::Test::query(true, &query)));
            }
            let Some(other) = &action.name else { continue };
            let (parent, child, present) = match action.kind {
                ActionKind::AttachPartition => (table, other, false),
                ActionKind::DetachPartition => (table, other, true),
                ActionKind::Inherit => (other, table, statement.part(action.span).at_word("no")),
                _ => continue,
            };
            if goes_back(context, statement, action) {
                continue;
            }
            let state = if present { "is no child" } else { "is a child" };
            let message = format!("a second run fails: {child} {state} of {parent}");
            let draft = found.report(&RULE, action.span, message);
            let literal = |name: &Name| quote_literal(context.dialect, &name.to_string());
            let query = format!(
                "SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass({}) AND inhparent = to_regclass({})",
                literal(child),
                literal(parent)
            );
            let test = guard::Test::query(present, &query);
            let concurrently = statement.part(action.span).has_word("concurrently");
            draft.fix(if concurrently { guard::directive(statement, &test) } else { guard::test(statement, &test) });
        }
    }
}

/// `DETACH PARTITION p` and, further down, `ATTACH PARTITION p`: a second run does the same again.
fn goes_back(context: &Context<'_>, statement: &Statement<'_>, action: &Action) -> bool {
    let does = |other: &Statement<'_>, kind: ActionKind| {
        other.head.name == statement.head.name
            && !other.is_guarded()
            && other.actions.iter().any(|other| other.kind == kind && other.name == action.name)
    };
    match action.kind {
        ActionKind::AttachPartition => context.before(statement).any(|other| does(other, ActionKind::DetachPartition)),
        ActionKind::DetachPartition => context.behind(statement).any(|other| does(other, ActionKind::AttachPartition)),
        _ => false,
    }
}
