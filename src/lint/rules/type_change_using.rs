//! ALTER COLUMN TYPE with a USING that does not survive a second run.

use super::super::alteration::alterations;
use super::super::context::Context;
use super::super::finding::Found;
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::settle::rests_as_text;
use super::super::statement::Statement;
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

/// Texts that are trimmed or folded, JSON that is made of JSON: the new type takes the same function, and it changes
/// nothing more.
fn converts_to_itself(statement: &Statement<'_>, expression: Span, column: &str, written: &str) -> bool {
    let written = written.trim().to_ascii_lowercase();
    let is_text = ["text", "varchar", "character", "char", "citext"].iter().any(|word| written.starts_with(word));
    let mut tokens = statement.part(expression);
    let has_number = statement.part(expression).any(|token| token.kind == TokenKind::Number);
    let rests = || super::super::update::rests(statement, expression, column);
    is_text && !has_number && rests() || written == "jsonb" && tokens.eat_word("to_jsonb")
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
