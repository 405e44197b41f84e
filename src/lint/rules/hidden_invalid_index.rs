//! CREATE INDEX CONCURRENTLY IF NOT EXISTS outside of dbbuild's own resume.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{POSTGRES, Fixable, Rule, Set};
use super::super::fix::Fix;
use super::super::guard;
use crate::sql::Kind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "hidden-invalid-index",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "CREATE INDEX CONCURRENTLY IF NOT EXISTS outside of dbbuild's own resume",
    effect: "An interrupted concurrent build leaves an INVALID index, and IF NOT EXISTS takes it for the finished one.",
    remedy: "Put `DROP INDEX CONCURRENTLY IF EXISTS name` in front of it.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    let creates = context.statements.iter().filter(|statement| statement.head.creates(Kind::Index));
    for statement in creates {
        let head = &statement.head;
        let hides = head.concurrently && head.if_not_exists && !statement.is_guarded();
        let (Some(name), Some(span)) = (head.name.as_ref().filter(|_| hides), head.name_span) else { continue };
        // In a script without a transaction the tool itself drops what an interrupted build left.
        if context.no_transaction || context.dropped_before(statement) {
            continue;
        }
        let message = format!("the guard lies if a build of {name} was interrupted: an INVALID index counts as existing");
        let draft = found.report(&RULE, statement.head_span(), message);
        let drop = guard::cased("DROP INDEX CONCURRENTLY IF EXISTS ", guard::is_lower(statement));
        let text = format!("{drop}{};\n", span.text(context.text));
        draft.fix(Fix::insert("drop what an interrupted build left", statement.span.start, text));
    }
}
