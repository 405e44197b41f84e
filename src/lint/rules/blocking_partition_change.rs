//! DETACH PARTITION without CONCURRENTLY, or ATTACH without a matching CHECK.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::actions;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::ActionKind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "blocking-partition-change",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "DETACH PARTITION without CONCURRENTLY, or ATTACH without a matching CHECK",
    effect: "The partitioned table is locked; an attached one is read as a whole.",
    remedy: "`DETACH PARTITION … CONCURRENTLY` (PostgreSQL 14); a validated CHECK with the bounds before ATTACH.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in actions(context, ActionKind::DetachPartition) {
        if !statement.part(action.span).has_any(&["concurrently", "finalize"]) {
            found.report(&RULE, action.span, "the partitioned table is locked against reads and writes");
        }
    }
}
