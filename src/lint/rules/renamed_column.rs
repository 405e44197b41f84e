//! RENAME COLUMN of a table that existed before.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::actions;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::ActionKind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "renamed-column",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "RENAME COLUMN of a table that existed before",
    effect: "Programs of the old version, which still run during a release, fail.",
    remedy: "Add a column of the new name and keep both filled until the old programs are gone.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (_, action) in actions(context, ActionKind::RenameColumn) {
        found.report(&RULE, action.span, "programs that still use the old name fail");
    }
}
