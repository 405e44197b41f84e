//! TRUNCATE of a table that existed before.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::existing;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::Verb;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "truncated-table",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "TRUNCATE of a table that existed before",
    effect: "Its rows are gone, with CASCADE those of other tables too, under an exclusive lock.",
    remedy: "DELETE what is meant, in batches.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.head.verb == Verb::Truncate) {
        if statement
            .head
            .name
            .as_ref()
            .is_some_and(|name| existing(context, statement, name) && !context.is_temporary(name))
        {
            let cascade = statement.tokens().has_word("cascade");
            let more = if cascade { ", and those of every table that refers to it" } else { "" };
            found.report(&RULE, statement.head_span(), format!("the rows are gone{more}, under an exclusive lock"));
        }
    }
}
