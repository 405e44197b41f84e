//! DROP COLUMN of a table that existed before.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::actions;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::ActionKind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "dropped-column",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "DROP COLUMN of a table that existed before",
    effect: "The data is gone, and programs of the old version that still name the column fail.",
    remedy: "Release programs that no longer use it first; drop it in a later script.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (_, action) in actions(context, ActionKind::DropColumn) {
        found.report(&RULE, action.span, "the column's data is gone, and programs that still name it fail");
    }
}
