//! SELECT of a function for its effect.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{POSTGRES, Fixable, Rule, Set};
use crate::sql::{TokenKind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "opaque-call",
    set: Set::Style,
    dialects: POSTGRES,
    summary: "SELECT of a function for its effect",
    effect: "What a second run does is known to the function alone.",
    remedy: "Make sure that the function can be called twice, or put a guard directive in front.",
    fixable: Fixable::Never,
    check,
};

/// Functions that can be called again, or that another rule looks at.
const HARMLESS: &[&str] = &["setval", "set_config", "pg_notify", "pg_sleep", "now", "count", "max", "min", "exists", "coalesce"];

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.head.verb == Verb::Select) {
        if statement.is_guarded() || statement.nested || statement.find_words(&["from"]).is_some() {
            continue;
        }
        let mut tokens = statement.tokens();
        tokens.next();
        let Some((name, span)) = tokens.eat_name() else { continue };
        let known = HARMLESS.contains(&name.object()) || name.object().starts_with("pg_advisory");
        if tokens.at(TokenKind::OpenParen) && !known && name.schema() != Some("pg_catalog") {
            found.report(&RULE, span, format!("what a second call of {name} does cannot be seen here"));
        }
    }
}
