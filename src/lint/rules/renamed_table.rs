//! RENAME of a table that existed before.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::actions;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::ActionKind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "renamed-table",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "RENAME of a table that existed before",
    effect: "Programs of the old version, which still run during a release, fail.",
    remedy: "Leave a view of the old name behind.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (_, action) in actions(context, ActionKind::Rename) {
        found
            .report(&RULE, action.span, "programs that still use the old name fail")
            .help("leave a view of the old name");
    }
}
