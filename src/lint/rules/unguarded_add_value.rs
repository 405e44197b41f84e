//! ALTER TYPE ADD VALUE or ADD ATTRIBUTE without a guard.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{ActionKind, Kind};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-add-value",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "ALTER TYPE ADD VALUE or ADD ATTRIBUTE without a guard",
    effect: "A second run stops with an error: the type has it.",
    remedy: "Write `ADD VALUE IF NOT EXISTS`; an attribute needs a `DO` block.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.head.kind == Some(Kind::Type)) {
        let Some(name) = &statement.head.name else { continue };
        if statement.is_guarded() || statement.caught().is_some() {
            continue;
        }
        for action in &statement.actions {
            match (action.kind, &action.name) {
                (ActionKind::AddValue, _) if !action.if_not_exists => {
                    let draft = found.report(&RULE, action.span, format!("a second run fails: {name} has this value"));
                    let guard = guard::cased("IF NOT EXISTS ", guard::is_lower(statement));
                    draft.fix(Fix::insert("add IF NOT EXISTS", action.guard_slot, guard));
                }
                (ActionKind::AddAttribute, Some(attribute)) => {
                    let message = format!("a second run fails: {name} has the attribute {attribute}");
                    let draft = found.report(&RULE, action.span, message);
                    draft.fix(guard::test(statement, &guard::Test::column(false, name, attribute.object())));
                }
                _ => {}
            }
        }
    }
}
