//! DROP INDEX without CONCURRENTLY.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{Kind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "blocking-index-drop",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "DROP INDEX without CONCURRENTLY",
    effect: "Reads and writes of the table wait for the lock.",
    remedy: "`DROP INDEX CONCURRENTLY` in a script with `-- dbbuild: no-transaction`.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let drops = statement.head.verb == Verb::Drop
            && statement.head.kind == Some(Kind::Index)
            && !statement.head.concurrently;
        if !drops {
            continue;
        }
        let made = context
            .before(statement)
            .any(|other| other.head.creates(Kind::Index) && other.head.name == statement.head.name);
        if !made {
            found.report(&RULE, statement.head_span(), "the index's table is locked against reads and writes");
        }
    }
}
