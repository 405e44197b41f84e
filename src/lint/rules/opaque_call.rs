//! SELECT or CALL of a function for its effect.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{Kind, Name, Span, TokenKind, Tokens, Verb};

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
        let inner = dollar_body(context, body);
        if !is_guarded_inside(inner) {
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

/// What stands between the dollar quotes.
fn dollar_body<'a>(context: &Context<'a>, quoted: Span) -> Tokens<'a> {
    let tag = quoted.text(context.text).get(1..).and_then(|rest| rest.find('$')).map_or(2, |at| at + 2);
    let start = quoted.start + tag;
    Tokens::new(context.text, Span::new(start, quoted.end.saturating_sub(tag).max(start)), context.dialect)
}

/// A test or an exception clause is somebody's guard.
fn is_guarded_inside(body: Tokens<'_>) -> bool {
    body.has_word("if") || body.has_word("exception") && !body.has_words(&["raise", "exception"])
}

/// A function that the script makes itself, as a block with a name.
fn guards_itself(context: &Context<'_>, name: &Name) -> bool {
    context.structure.iter().any(|other| {
        let body = || other.tokens().find(|token| token.kind == TokenKind::DollarString);
        [Kind::Function, Kind::Procedure].into_iter().any(|kind| other.head.creates(kind))
            && other.head.name.as_ref().is_some_and(|made| made.matches(name))
            && body().is_some_and(|body| is_guarded_inside(dollar_body(context, body.span)))
    })
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
        let known = known || name.schema() == Some("pg_catalog");
        if tokens.at(TokenKind::OpenParen) && !known && !guards_itself(context, &name) {
            found.report(&RULE, span, format!("what a second call of {name} does cannot be seen here"));
        }
    }
}
