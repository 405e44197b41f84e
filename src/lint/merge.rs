//! Whether the rows that a `MERGE` inserts are found by the next one.

use super::shape::{columns, items};
use super::statement::Statement;
use super::update::is_own;
use crate::sql::{Span, Token, TokenKind, Tokens};

/// `MERGE … ON false`, or `ON t.a = 9` where the rows that are inserted bring no 9.
pub fn never_matches(statement: &Statement<'_>) -> bool {
    let text = statement.text;
    let mut tokens = statement.tokens_behind_name();
    if !tokens.skip_past("on") {
        return false;
    }
    let start = tokens.start();
    tokens.skip_to_any(&["when"]);
    let condition = Span::new(start, tokens.end());
    let is_value = |token: &Token| token.kind.is_string() || token.kind == TokenKind::Number;
    let asked: Vec<&str> = statement.part(condition).filter(is_value).map(|token| token.text(text)).collect();
    let names = statement.part(condition).filter(|token| token.kind.is_identifier()).count();
    let inserts = tokens.skip_past("insert");
    let compares = statement.part(condition).any(|token| token.text(text) == "=");
    let is_alone = names <= 2 && asked.len() == 1 && compares;
    condition.text(text).trim().eq_ignore_ascii_case("false")
        || inserts && brings_another(statement, condition, tokens)
        || inserts && is_alone && !tokens.any(|token| asked.contains(&token.text(text)))
}

/// `ON t.a = s.a || 'x' … INSERT (a) VALUES (s.a)`: the row has another value than the one that is looked for.
fn brings_another(statement: &Statement<'_>, condition: Span, mut insert: Tokens<'_>) -> bool {
    let mut tokens = statement.part(condition);
    if tokens.has_any(&["and", "or"]) {
        return false;
    }
    let Some((left, left_span)) = tokens.eat_name().filter(|_| tokens.eat_operator("=")) else { return false };
    let right = Span::new(tokens.start(), condition.end);
    let right_name = tokens.eat_name().filter(|_| tokens.peek().is_none()).map(|(name, _)| name);
    let of_target = |name: &crate::sql::Name| name.schema().is_some_and(|table| is_own(statement, table));
    let (column, asked) = match right_name {
        _ if of_target(&left) => (left, right),
        Some(right) if of_target(&right) => (right, left_span),
        _ => return false,
    };
    let Some(names) = columns(&mut insert) else { return false };
    insert.skip_to_any(&["values"]);
    insert.next();
    let Some(list) = insert.eat_parens() else { return false };
    let values = items(statement.text, list, statement.dialect);
    let at = names.iter().position(|name| name == column.object());
    let Some(value) = at.and_then(|at| values.get(at)) else { return values.len() == names.len() };
    bare(statement.part(*value)) != bare(statement.part(asked))
}

/// An expression in one spelling, its names without what they are of.
fn bare(mut tokens: Tokens<'_>) -> String {
    let text = tokens.text();
    let mut line = String::new();
    while tokens.peek().is_some() {
        match tokens.eat_name() {
            Some((name, _)) => line += name.object(),
            None => line += tokens.next().map_or("", |token| token.text(text)),
        }
        line.push(' ');
    }
    line
}
