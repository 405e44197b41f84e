//! SELECT, CALL or PERFORM of what makes or inserts something each time.

use super::super::called::does_again;
use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::witness;
use crate::sql::{Span, TokenKind, Tokens, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "repeating-call",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "SELECT or CALL of what makes or inserts something each time",
    effect: "A second run fails because the thing exists, or makes or inserts it once more.",
    remedy: "Ask first whether it was done: `SELECT f() WHERE NOT EXISTS (…)`, a `DO` block with a test, or a guard directive; extensions often have an argument: `if_not_exists => true`.",
    fixable: Fixable::Sometimes,
    check,
};

/// Functions of the server and of common extensions that make something, and the argument that lets them be.
const MAKERS: &[(&str, &str)] = &[
    ("lo_create", ""),
    ("lo_creat", ""),
    ("lo_from_bytea", ""),
    ("lo_import", ""),
    ("pg_create_logical_replication_slot", ""),
    ("pg_create_physical_replication_slot", ""),
    ("pg_copy_logical_replication_slot", ""),
    ("pg_replication_origin_create", ""),
    ("create_hypertable", "if_not_exists"),
    ("create_distributed_hypertable", "if_not_exists"),
    ("add_retention_policy", "if_not_exists"),
    ("add_compression_policy", "if_not_exists"),
    ("add_continuous_aggregate_policy", "if_not_exists"),
    ("add_job", ""),
    ("create_distributed_table", ""),
    ("create_reference_table", ""),
    ("addgeometrycolumn", ""),
    ("create_parent", ""),
    ("dblink_connect", ""),
];

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| !statement.nested && !statement.is_guarded()) {
        let calls: Vec<Span> = match statement.head.verb {
            Verb::Select => {
                let behind = statement.find_words(&["from"]).map(|from| Span::new(from.end, statement.span.end));
                let mut first = statement.tokens();
                first.next();
                let first = Span::new(first.start(), statement.span.end);
                // One that asks first is somebody's guard.
                let asks = statement.tokens().any(|token| token.is_word(context.text, "exists"));
                if asks { Vec::new() } else { std::iter::once(first).chain(behind).collect() }
            }
            Verb::Call => {
                let mut tokens = statement.tokens();
                tokens.next();
                vec![Span::new(tokens.start(), statement.span.end)]
            }
            Verb::Do => performed(context, statement.span),
            _ => continue,
        };
        for call in calls {
            let mut tokens = statement.part(call);
            let Some((name, span)) = tokens.eat_name() else { continue };
            let Some(arguments) = tokens.eat_parens() else { continue };
            let lets = |argument: &str| !argument.is_empty() && arguments.text(context.text).contains(argument);
            let is_maker =
                MAKERS.iter().any(|(maker, argument)| name.object().eq_ignore_ascii_case(maker) && !lets(argument));
            let message = if is_maker {
                format!("a second run fails, or makes another one: {name} makes something on each call")
            } else if does_again(context, statement, &name) {
                format!("a second run does again what {name} does: it writes on each call")
            } else {
                continue;
            };
            let draft = found.report(&RULE, span, message);
            draft.help("ask first whether it was done, or put a guard directive in front").fix(witness::group(context));
        }
    }
}

/// What a `DO` block without any test performs.
fn performed(context: &Context<'_>, span: Span) -> Vec<Span> {
    let tokens = Tokens::new(context.text, span, context.dialect);
    let Some(body) = tokens.filter(|token| token.kind == TokenKind::DollarString).last() else { return Vec::new() };
    let tag = body.text(context.text).get(1..).and_then(|rest| rest.find('$')).map_or(2, |at| at + 2);
    let inner = Span::new(body.span.start + tag, body.span.end.saturating_sub(tag).max(body.span.start + tag));
    let mut tokens = Tokens::new(context.text, inner, context.dialect);
    let mut found = Vec::new();
    if tokens.has_any(&["if", "exception", "case", "exists"]) {
        return found;
    }
    while tokens.peek().is_some() {
        if tokens.eat_any(&["perform", "call"]).is_some() {
            found.push(Span::new(tokens.start(), inner.end));
        } else {
            tokens.next();
        }
    }
    found
}
