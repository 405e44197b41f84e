//! ALTER TYPE ADD VALUE without BEFORE or AFTER.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::ActionKind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unordered-value",
    set: Set::Style,
    dialects: POSTGRES,
    summary: "ALTER TYPE ADD VALUE without BEFORE or AFTER",
    effect: "The value sorts behind all others, which may not be what was meant, and the order cannot be changed later.",
    remedy: "Write `BEFORE` or `AFTER` a value.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        for action in statement.actions.iter().filter(|action| action.kind == ActionKind::AddValue) {
            if !statement.part(action.span).has_any(&["before", "after"]) {
                found.report(&RULE, action.span, "the value sorts behind all others");
            }
        }
    }
}
