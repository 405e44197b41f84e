//! RESTART or setval with a fixed number.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::shape::items;
use super::super::statement::Statement;
use crate::sql::{Kind, Span, TokenKind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "rewound-sequence",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "RESTART or setval with a fixed number",
    effect: "A second run sets the sequence back, and live ids come again.",
    remedy: "`setval('s', greatest((SELECT max(id) FROM t), (SELECT last_value FROM s)))`, or guard it.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| !statement.is_guarded()) {
        let restarts = statement.head.verb == Verb::Alter
            && matches!(statement.head.kind, Some(Kind::Sequence | Kind::Table))
            && statement.tokens_behind_name().has_word("restart")
            && !statement.tokens().has_words(&["add", "generated"]);
        if restarts {
            let Some(span) = word_span(statement, "restart") else { continue };
            found.report(&RULE, span, "a second run sets the sequence back, and ids that are in use come again");
        }
        if statement.head.verb == Verb::Select
            && let Some(arguments) = setval(statement)
        {
            let value = items(context.text, arguments, context.dialect).get(1).copied().unwrap_or(arguments);
            let fixed = statement.part(value).all(|token| token.kind == TokenKind::Number);
            if fixed {
                let message = "a second run sets the sequence back, and ids that are in use come again";
                found.report(&RULE, arguments, message);
            }
        }
    }
}

fn setval(statement: &Statement<'_>) -> Option<Span> {
    let mut tokens = statement.tokens();
    while tokens.skip_past("setval") {
        if let Some(arguments) = tokens.eat_parens() {
            return Some(arguments);
        }
    }
    None
}

fn word_span(statement: &Statement<'_>, word: &str) -> Option<Span> {
    let mut tokens = statement.tokens();
    tokens.find(|token| token.is_word(statement.text, word)).map(|token| token.span)
}
