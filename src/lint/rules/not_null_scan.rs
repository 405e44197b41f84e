//! SET NOT NULL on a table that existed before.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::actions;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::ActionKind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "not-null-scan",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "SET NOT NULL on a table that existed before",
    effect: "All rows are read while the table is locked.",
    remedy: "Add a CHECK (c IS NOT NULL) NOT VALID, validate it in a later script, then SET NOT NULL and drop the check.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in actions(context, ActionKind::AlterColumn) {
        if statement.part(action.span).has_words(&["set", "not", "null"]) {
            let draft = found.report(&RULE, action.span, "every row is read while the table is locked");
            draft.help("a validated CHECK (column IS NOT NULL) spares the scan");
        }
    }
}
