//! SET LOGGED or UNLOGGED, SET ACCESS METHOD or SET TABLESPACE of a table that is in use.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::actions_of_all;
use super::super::live::existing;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::ActionKind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "rewritten-table",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "SET LOGGED or UNLOGGED, SET ACCESS METHOD or SET TABLESPACE of a table that is in use",
    effect: "The table is rewritten under a lock against reads and writes.",
    remedy: "Do it in a maintenance window, or make a new table and move the rows in batches.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in actions_of_all(context, ActionKind::Other) {
        let Some(table) = statement.head.name.as_ref().filter(|table| existing(context, statement, table)) else {
            continue;
        };
        let mut words = statement.part(action.span);
        let rewrites = words.eat_word("set")
            && (words.at_any(&["logged", "unlogged", "tablespace"]) || words.has_words(&["access", "method"]));
        if rewrites {
            found.report(
                &RULE,
                action.span,
                format!("{table} is rewritten, and locked against reads and writes meanwhile"),
            );
        }
    }
}
