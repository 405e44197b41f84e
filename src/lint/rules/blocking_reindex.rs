//! REINDEX, REFRESH MATERIALIZED VIEW, CLUSTER or VACUUM FULL that locks.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::Verb;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "blocking-reindex",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "REINDEX, REFRESH MATERIALIZED VIEW, CLUSTER or VACUUM FULL that locks",
    effect: "The object is locked for as long as the work takes.",
    remedy: "`REINDEX CONCURRENTLY`, `REFRESH MATERIALIZED VIEW CONCURRENTLY`, pg_repack.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let blocks = match statement.head.verb {
            Verb::Reindex | Verb::Refresh => {
                !statement.head.concurrently && !statement.tokens().has_word("concurrently")
            }
            Verb::Cluster => true,
            Verb::Vacuum => statement.tokens().has_word("full"),
            _ => false,
        };
        if !blocks {
            continue;
        }
        let made = statement.head.name.as_ref().is_some_and(|name| {
            context.before(statement).any(|other| {
                other.head.verb == Verb::Create && other.head.name.as_ref().is_some_and(|made| made.matches(name))
            })
        });
        let no_data = statement.tokens().has_words(&["with", "no", "data"]);
        if !made && !no_data {
            found.report(&RULE, statement.head_span(), "the object is locked for as long as this takes");
        }
    }
}
