//! ALTER COLUMN TYPE with a USING that does not survive a second run.

use super::super::alteration::alterations;
use super::super::cases::{Asked, cases, rests_as_text};
use super::super::context::Context;
use super::super::finding::Found;
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::statement::Statement;
use super::super::update::Assignment;
use crate::sql::{ActionKind, Dialect, Name, Span, TokenKind, quote_literal};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "type-change-using",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "ALTER COLUMN TYPE with a USING that does not survive a second run",
    effect: "The second run applies the expression to values of the new type: it fails, or converts them once more.",
    remedy: "Put the statement into a `DO` block that tests the column's type.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in alterations(context, ActionKind::AlterColumn) {
        let (Some(table), Some(column)) = (&statement.head.name, &action.name) else { continue };
        let mut tokens = statement.part(action.span);
        if !tokens.skip_to_any(&["type"]) {
            continue;
        }
        tokens.next();
        let type_start = tokens.start();
        if !tokens.skip_to_any(&["using"]) || statement.caught().is_some() {
            continue;
        }
        let type_text = Span::new(type_start, tokens.end()).text(context.text);
        tokens.next();
        let expression = Span::new(tokens.start(), action.span.end);
        if super::super::update::reads_nothing(statement, expression)
            || survives(statement, expression, column.object())
            || rests_as_text(statement, expression, column.object())
            || converts_to_itself(statement, expression, column.object(), type_text)
            || ["bool", "boolean"].contains(&type_text.trim().to_ascii_lowercase().as_str())
                && tells_truth(statement, expression, column.object())
        {
            continue;
        }
        let message = format!("a second run converts {column} of {table} again: its USING expects the old type");
        let draft = found.report(&RULE, action.span, message);
        if !type_text.contains('(') && !type_text.to_lowercase().contains("collate") {
            let known = context.table(table, statement).and_then(|shape| shape.column_named(column.object()).cloned());
            let same = known.as_ref().is_some_and(|known| known.type_word().eq_ignore_ascii_case(type_text.trim()));
            let fix = guard::test(statement, &until_type(table, column.object(), type_text));
            // A test for the type says nothing where the type stays.
            match known {
                _ if same => {}
                Some(_) => {
                    draft.fix(fix);
                }
                None => {
                    draft.fix(fix.risky("if the column has this type already, it is left as it is"));
                }
            }
        }
    }
}

/// Lets a statement run while a column has another type.
pub(in crate::lint) fn until_type(table: &Name, column: &str, written: &str) -> guard::Test {
    let literal = |text: &str| quote_literal(Dialect::Postgres, text);
    let query = format!(
        "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass({}) AND attname = {} AND atttypid <> to_regtype({})",
        literal(&table.to_string()),
        literal(column),
        literal(written)
    );
    guard::Test::query(true, &query)
}

/// Texts that are trimmed or folded, numbers that are rounded, JSON that is made of JSON: the new type takes the same function, and it changes
/// nothing more.
fn converts_to_itself(statement: &Statement<'_>, expression: Span, column: &str, written: &str) -> bool {
    let written = written.trim().to_ascii_lowercase();
    let is_text = ["text", "varchar", "character", "char", "citext"].iter().any(|word| written.starts_with(word));
    let numbers = ["int", "bigint", "smallint", "numeric", "decimal", "real", "double"];
    let is_number = numbers.iter().any(|word| written.starts_with(word));
    let mut tokens = statement.part(expression);
    let has = |is: fn(TokenKind) -> bool| statement.part(expression).any(|token| is(token.kind));
    let has_number = has(|kind| kind == TokenKind::Number) && !tokens.at_any(&["left", "substr"]);
    let rests = || super::super::update::rests(statement, expression, column);
    is_text && !has_number && rests()
        || is_number && tokens.at_any(&ROUNDING) && !has(TokenKind::is_string) && rests()
        || written == "jsonb" && tokens.eat_word("to_jsonb")
}

/// Functions that take the numbers that they give.
const ROUNDING: [&str; 8] = ["round", "trunc", "floor", "ceil", "abs", "coalesce", "greatest", "least"];

/// `(column = '1')`, `CASE WHEN column = 'yes' THEN true ELSE false END`: what is true by then is true again. A number
/// is not compared with a truth.
fn tells_truth(statement: &Statement<'_>, mut expression: Span, column: &str) -> bool {
    let text = statement.text;
    let mut tokens = statement.part(expression);
    while let Some(inner) = tokens.eat_parens().filter(|_| tokens.peek().is_none()) {
        expression = Span::new(inner.start + 1, inner.end.saturating_sub(1).max(inner.start + 1));
        tokens = statement.part(expression);
    }
    let read = |literal: &str| match literal.strip_prefix('\'')?.strip_suffix('\'')?.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "y" | "yes" | "on" => Some(true),
        "0" | "f" | "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    };
    tokens = statement.part(expression);
    if !tokens.at_word("case") {
        let own = tokens.eat_name().is_some_and(|(name, _)| name.object() == column);
        let equal = tokens.eat_operator("=");
        let differs = !equal && (tokens.eat_operator("<>") || tokens.eat_operator("!="));
        let asked = tokens.next().and_then(|token| read(token.text(text)));
        return own && (equal || differs) && asked == Some(equal) && tokens.peek().is_none();
    }
    let value = Assignment { column: column.to_owned(), value: expression };
    let Some(cases) = cases(statement, &value) else { return false };
    // Each literal must be one of a truth, or the second run fails.
    let truths = |asked: &Asked<'_>| match asked {
        Asked::Among(literals) => literals.iter().map(|literal| read(literal)).collect::<Option<Vec<_>>>(),
        Asked::Null(_) => Some(Vec::new()),
        Asked::Compared(..) => None,
    };
    let given = |result: Option<&str>| match result.map(str::to_ascii_lowercase).as_deref() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    };
    let becomes = |truth: bool| -> Option<bool> {
        for (asked, result) in &cases.of {
            if truths(asked)?.contains(&truth) || matches!(asked, Asked::Null(false)) {
                return given(*result);
            }
        }
        given(cases.rest)
    };
    cases.of.iter().all(|(asked, _)| truths(asked).is_some())
        && becomes(true) == Some(true)
        && becomes(false) == Some(false)
}

/// A plain cast of the column, to whatever type, gives the same again.
fn survives(statement: &Statement<'_>, expression: Span, column: &str) -> bool {
    let mut tokens = statement.part(expression);
    while tokens.eat(TokenKind::OpenParen) {}
    if tokens.eat_word("cast") {
        tokens.next();
    }
    let own = tokens.eat_name().is_some_and(|(name, _)| name.object() == column);
    while tokens.eat(TokenKind::CloseParen) {}
    let mut only_casts = own;
    while tokens.peek().is_some() && only_casts {
        let cast = tokens.eat_operator("::") || tokens.eat_word("as");
        only_casts = cast && tokens.eat_name().is_some();
        while tokens.at(TokenKind::Word) {
            tokens.next();
        }
        tokens.eat_parens();
        while tokens.eat(TokenKind::OpenBracket)
            || tokens.eat(TokenKind::CloseBracket)
            || tokens.eat(TokenKind::CloseParen)
        {}
    }
    only_casts
}
