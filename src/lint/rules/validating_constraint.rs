//! ADD FOREIGN KEY or CHECK without NOT VALID on a table that existed before.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::actions;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::ActionKind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "validating-constraint",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "ADD FOREIGN KEY or CHECK without NOT VALID on a table that existed before",
    effect: "All rows are checked while the table (and the referenced one) is locked.",
    remedy: "Add it `NOT VALID`, and `VALIDATE CONSTRAINT` in a later script.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in actions(context, ActionKind::AddConstraint) {
        let tokens = statement.part(action.span);
        let checks = tokens.has_any(&["check", "foreign"]) && !tokens.has_words(&["not", "valid"]);
        if checks {
            let draft = found.report(&RULE, action.span, "every row is checked while the table is locked");
            draft.help("add it NOT VALID, and VALIDATE CONSTRAINT in a later script");
        }
    }
    for (statement, action) in actions(context, ActionKind::AddColumn) {
        let tokens = statement.part(action.span);
        if tokens.has_any(&["check"]) || tokens.has_word("references") && tokens.has_word("default") {
            found.report(&RULE, action.span, "every row is checked while the table is locked");
        }
    }
}
