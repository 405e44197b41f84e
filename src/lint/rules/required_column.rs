//! ADD COLUMN NOT NULL without a default on a table that existed before.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::actions;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::ActionKind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "required-column",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "ADD COLUMN NOT NULL without a default on a table that existed before",
    effect: "It fails as soon as the table has a row.",
    remedy: "Give it a default, or add it without NOT NULL and fill it first.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in actions(context, ActionKind::AddColumn) {
        let tokens = statement.part(action.span);
        let fills = tokens.has_any(&["default", "generated", "serial", "bigserial", "smallserial"]);
        if tokens.has_words(&["not", "null"]) && !fills {
            found.report(&RULE, action.span, "this fails as soon as the table has a row");
        }
    }
}
