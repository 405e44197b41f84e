//! SELECT or CALL of a function for its effect.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{Span, TokenKind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "opaque-call",
    set: Set::Style,
    dialects: POSTGRES,
    summary: "SELECT or CALL of a function for its effect",
    effect: "What a second run does is known to the function alone.",
    remedy: "Make sure that the function can be called twice, or put a guard directive in front.",
    fixable: Fixable::Never,
    check,
};

/// Functions that can be called again, or that another rule looks at.
const HARMLESS: &[&str] = &[
    "setval",
    "set_config",
    "pg_notify",
    "pg_sleep",
    "now",
    "count",
    "max",
    "min",
    "exists",
    "coalesce",
    "generate_series",
    "unnest",
    "current_setting",
    "format",
    "array_agg",
    "string_agg",
    "sum",
    "to_regclass",
];

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in
        context.statements.iter().filter(|statement| statement.head.verb == Verb::Do && !statement.is_guarded())
    {
        let body = statement.tokens().find(|token| token.kind == TokenKind::DollarString);
        let Some(body) = body.map(|token| token.span).filter(|span| span.len() > 4) else { continue };
        let tag = body.text(context.text).get(1..).and_then(|rest| rest.find('$')).map_or(2, |at| at + 2);
        let inner = statement.part(Span::new(body.start + tag, body.end.saturating_sub(tag).max(body.start + tag)));
        // A test or an exception clause is somebody's guard.
        if !inner.has_any(&["if", "exception"]) || inner.has_words(&["raise", "exception"]) && !inner.has_word("if") {
            let mut tokens = inner;
            if let Some(call) =
                tokens.find(|token| token.is_word(context.text, "perform") || token.is_word(context.text, "call"))
            {
                found.report(&RULE, call.span, "what a second call does cannot be seen here");
            }
        }
    }
    selects(context, found);
}

fn selects(context: &Context<'_>, found: &mut Found) {
    for statement in
        context.statements.iter().filter(|statement| matches!(statement.head.verb, Verb::Select | Verb::Call))
    {
        if statement.is_guarded() || statement.nested {
            continue;
        }
        let mut tokens = statement.tokens();
        tokens.next();
        // `SELECT … FROM f(…)`; what is selected from a table reads, mostly.
        if let Some(from) = statement.find_words(&["from"]) {
            tokens = statement.part(Span::new(from.end, statement.span.end));
        }
        let Some((name, span)) = tokens.eat_name() else { continue };
        let known = HARMLESS.contains(&name.object())
            || name.object().starts_with("pg_advisory")
            || name.object().starts_with("json");
        if tokens.at(TokenKind::OpenParen) && !known && name.schema() != Some("pg_catalog") {
            found.report(&RULE, span, format!("what a second call of {name} does cannot be seen here"));
        }
    }
}
