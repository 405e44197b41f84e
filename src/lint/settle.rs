//! Whether an expression that reads its own column comes to rest after one run.

use super::shape::items;
use super::statement::Statement;
use super::update::Assignment;
use crate::sql::{Span, Token, TokenKind, Tokens};

/// Functions that give the same when they are applied to what they gave, as long as their other arguments stay.
const SETTLING: &[&str] = &[
    "lower",
    "upper",
    "trim",
    "btrim",
    "ltrim",
    "rtrim",
    "coalesce",
    "greatest",
    "least",
    "abs",
    "round",
    "floor",
    "ceil",
    "trunc",
    "date_trunc",
    "jsonb_set",
    "json_set",
    "json_remove",
    "json_insert",
    "json_replace",
    "json_patch",
    "max",
    "min",
    "nullif",
    "ifnull",
    "initcap",
    "sign",
    "array_remove",
    "translate",
    "cast",
    "date",
    "datetime",
    "json",
    "jsonb_strip_nulls",
    "left",
    "substr",
    "lpad",
    "rpad",
];

/// Functions that give one of their arguments, the same one again when the column has it.
const CHOOSING: &[&str] = &["coalesce", "ifnull", "greatest", "least", "max", "min"];

/// Whether an expression of its own column comes to rest after one run.
pub fn settles(statement: &Statement<'_>, assignment: &Assignment, own: &[Span]) -> bool {
    let mut tokens = statement.part(assignment.value);
    let text = statement.text;
    // The column as it is.
    if assignment.value.text(text).trim() == own.first().map_or("", |span| span.text(text)) {
        return true;
    }
    if tokens.at_word("case") {
        return case_settles(statement, assignment);
    }
    if tokens.at(TokenKind::OpenParen) {
        // A query of its own; one that counts on from the column's own values does not rest.
        let reads_own = super::insert::read_tables(tokens)
            .iter()
            .any(|read| statement.head.name.as_ref().is_some_and(|table| table.matches(read)));
        let counts = tokens
            .any(|token| token.kind == TokenKind::Operator && ["+", "-", "*", "/", "||"].contains(&token.text(text)));
        return statement.part(assignment.value).has_word("select") && !(reads_own && counts);
    }
    let Some(first) = tokens.next() else { return true };
    // A cast settles, whatever it is of.
    if own.contains(&first.span) && tokens.eat_operator("::") {
        tokens.eat_name();
        tokens.eat_parens();
        return tokens.peek().is_none();
    }
    if own.contains(&first.span) {
        return sets_a_key(tokens, own);
    }
    let name = first.text(text).to_ascii_lowercase();
    let Some(arguments) = tokens.eat_parens() else { return false };
    if tokens.peek().is_some_and(|token| token.kind != TokenKind::Operator || token.text(text) != "::") {
        return false;
    }
    if ["replace", "regexp_replace", "array_replace"].contains(&name.as_str()) {
        return replacement_settles(statement, arguments);
    }
    if name == "translate" && !translation_settles(statement, arguments) {
        return false;
    }
    let mut parts = items(text, arguments, statement.dialect);
    // What is cut to comes in front of what is cut.
    if name == "date_trunc" && parts.len() > 1 {
        parts.swap(0, 1);
    }
    // One of several values is taken: the column as it is may stand at any place.
    let whole = |span: &Span| {
        let holds = |part: &Span| part.start <= span.start && span.end <= part.end;
        parts.iter().any(|part| holds(part) && part.text(text).trim() == span.text(text))
    };
    if CHOOSING.contains(&name.as_str()) && parts.len() > 1 && own.iter().all(whole) {
        return true;
    }
    if name == "jsonb_set" && parts.get(2).is_some_and(|value| takes_keys_out(statement, *value)) {
        return true;
    }
    // Beyond the first argument the column must not come again.
    let later =
        parts.iter().skip(1).any(|part| own.iter().any(|span| part.start <= span.start && span.end <= part.end));
    if !SETTLING.contains(&name.as_str()) || later {
        return false;
    }
    // From the second letter on there is less each time.
    let first_letter = |part: &Span| part.text(text).trim() == "1";
    if name == "substr" && !parts.get(1).is_some_and(first_letter) {
        return false;
    }
    // What is inside must come to rest as well.
    let is_computed = |inner: &Span| {
        statement.part(*inner).any(|token| matches!(token.kind, TokenKind::OpenParen | TokenKind::Operator))
    };
    let Some(inner) = parts.first().copied().filter(is_computed) else { return true };
    let own: Vec<Span> =
        own.iter().copied().filter(|span| inner.start <= span.start && span.end <= inner.end).collect();
    own.is_empty() || settles(statement, &Assignment { column: assignment.column.clone(), value: inner }, &own)
}

/// `column || '{"key": …}'`, `column - 'key'`: JSON that has the key, or lacks it, afterwards; `flags | 4`.
fn sets_a_key(mut tokens: Tokens<'_>, own: &[Span]) -> bool {
    let text = tokens.text();
    let Some(operator) = tokens.next().map(|token| token.text(text)) else { return true };
    // Bits that are set or cleared, a remainder.
    let is_fixed = |token: Token| token.kind == TokenKind::Number || token.text(text) == "~";
    if ["|", "&", "%"].contains(&operator) && tokens.peek().is_some() && tokens.all(is_fixed) {
        return true;
    }
    let Some(operand) = tokens.next() else { return false };
    let written = operand.text(text);
    let casts = |mut tokens: Tokens<'_>| {
        while tokens.eat_operator("::") {
            tokens.eat_name();
        }
        tokens.peek().is_none()
    };
    match operator {
        "||" if written.trim_start_matches('\'').starts_with('{') => casts(tokens),
        "||" if written.eq_ignore_ascii_case("jsonb_build_object") => {
            let arguments = tokens.eat_parens().unwrap_or_default();
            !own.iter().any(|span| arguments.start <= span.start && span.end <= arguments.end) && casts(tokens)
        }
        "-" | "#-" if operand.kind.is_string() => tokens.peek().is_none(),
        _ => false,
    }
}

/// `(column -> 'list') - 'a' - 'b'`: what is read of the column loses what it no longer has the next time.
fn takes_keys_out(statement: &Statement<'_>, value: Span) -> bool {
    let text = statement.text;
    let mut tokens = statement.part(value);
    let mut takes = false;
    while let Some(token) = tokens.next() {
        let is_string = tokens.peek().is_some_and(|next| next.kind.is_string());
        match token.text(text) {
            "-" | "#-" if is_string => takes = true,
            "->" | "->>" | "::" => {}
            _ if token.kind == TokenKind::Operator => return false,
            // A function of it.
            _ if token.kind.is_identifier() && tokens.at(TokenKind::OpenParen) => return false,
            _ => {}
        }
    }
    takes
}

/// `replace(column, 'a', 'b')` rests if the result no longer holds what is looked for.
fn replacement_settles(statement: &Statement<'_>, arguments: Span) -> bool {
    let parts = items(statement.text, arguments, statement.dialect);
    let (Some(from), Some(to)) = (parts.get(1), parts.get(2)) else { return false };
    let inner = |span: &Span| span.text(statement.text).trim().trim_matches('\'').to_owned();
    let both_literal = [from, to].iter().all(|span| span.text(statement.text).trim().starts_with('\''));
    !both_literal || inner(from).is_empty() || !inner(to).contains(&inner(from))
}

/// `translate(column, 'ab', 'x')` rests if no letter that it gives is one that it takes.
fn translation_settles(statement: &Statement<'_>, arguments: Span) -> bool {
    let parts = items(statement.text, arguments, statement.dialect);
    let literal = |span: &Span| {
        let text = span.text(statement.text).trim();
        text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''))
    };
    let (Some(from), Some(to)) = (parts.get(1).and_then(literal), parts.get(2).and_then(literal)) else { return false };
    !to.chars().any(|char| from.contains(char))
}

/// `CASE column WHEN 'a' THEN 'b' … ELSE column END` rests if no result is asked for again.
fn case_settles(statement: &Statement<'_>, assignment: &Assignment) -> bool {
    let tokens = statement.part(assignment.value);
    let text = statement.text;
    let (mut asked, mut given) = (Vec::new(), Vec::new());
    let mut behind_then = false;
    for token in tokens {
        if token.is_word(text, "then") {
            behind_then = true;
        } else if token.is_word(text, "when") {
            behind_then = false;
        } else if token.is_word(text, "else") {
            behind_then = true;
        } else if token.kind.is_string() || token.kind == TokenKind::Number {
            if behind_then { given.push(token.text(text)) } else { asked.push(token.text(text)) }
        } else if behind_then && (token.kind == TokenKind::Operator && token.text(text) != "::") {
            return false;
        }
    }
    !given.iter().any(|value| asked.contains(value))
}
