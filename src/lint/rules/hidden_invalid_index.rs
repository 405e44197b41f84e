//! CREATE INDEX CONCURRENTLY IF NOT EXISTS outside of dbbuild's own resume.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::Kind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "hidden-invalid-index",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "CREATE INDEX CONCURRENTLY IF NOT EXISTS outside of dbbuild's own resume",
    effect: "An interrupted concurrent build leaves an INVALID index, and IF NOT EXISTS takes it for the finished one.",
    remedy: "Write `-- dbbuild: no-transaction` at the head of the script: dbbuild drops what an interrupted build left. Or put `DROP INDEX CONCURRENTLY IF EXISTS name` in front of it.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    let creates = context.statements.iter().filter(|statement| statement.head.creates(Kind::Index));
    for statement in creates {
        let head = &statement.head;
        let hides = head.concurrently && head.if_not_exists && !statement.is_guarded();
        let Some(name) = head.name.as_ref().filter(|_| hides) else { continue };
        // In a script without a transaction the tool itself drops what an interrupted build left.
        if context.no_transaction || context.dropped_before(statement) {
            continue;
        }
        let message =
            format!("the guard lies if a build of {name} was interrupted: an INVALID index counts as existing");
        let draft = found.report(&RULE, statement.head_span(), message);
        // The index of a partition cannot be dropped by itself; dbbuild looks at what an interrupted build left.
        draft.fix(Fix::insert("let dbbuild drop what an interrupted build left", 0, "-- dbbuild: no-transaction\n"));
    }
}
