//! A name of more than 63 bytes.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::Verb;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "long-identifier",
    set: Set::Style,
    dialects: POSTGRES,
    summary: "a name of more than 63 bytes",
    effect: "PostgreSQL cuts it, and two names may become one.",
    remedy: "Shorten it.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in
        context.statements.iter().filter(|statement| matches!(statement.head.verb, Verb::Create | Verb::Alter))
    {
        for token in statement.tokens().take(4096).filter(|token| token.kind.is_identifier()) {
            if token.text(context.text).trim_matches('"').len() > 63 {
                found.report(&RULE, token.span, "PostgreSQL cuts this name at 63 bytes");
            }
        }
    }
}
