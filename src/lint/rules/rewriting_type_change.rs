//! ALTER COLUMN TYPE on a table that existed before.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::actions;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::ActionKind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "rewriting-type-change",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "ALTER COLUMN TYPE on a table that existed before",
    effect: "Most changes rewrite the table and its indexes under an exclusive lock, and break programs that know the old type.",
    remedy: "Add a column of the new type, keep both filled, switch, drop the old one.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in actions(context, ActionKind::AlterColumn) {
        let mut tokens = statement.part(action.span);
        tokens.eat_word("alter");
        tokens.eat_word("column");
        tokens.eat_name();
        tokens.eat_words(&["set", "data"]);
        // To text, or varchar without a limit, is a change of the catalog alone.
        let free = tokens.eat_word("type") && tokens.eat_any(&["text", "varchar"]).is_some() && tokens.peek().is_none();
        if statement.part(action.span).has_word("type") && !free {
            found.report(
                &RULE,
                action.span,
                "unless the types are stored alike, the table is rewritten under an exclusive lock",
            );
        }
    }
}
