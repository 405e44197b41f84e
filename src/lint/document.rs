//! JSON documents whose keys are set or taken out: whether that gives the same when it is done again.

use super::settle::eat_own;
use super::shape::items;
use super::statement::Statement;
use crate::sql::{Span, Token, TokenKind, Tokens};

/// `column || '{"key": …}'`, `column - 'key'`, one behind the other: JSON that has the key, or lacks it, afterwards;
/// `flags | 4`.
pub(super) fn sets_keys(mut tokens: Tokens<'_>, own: &[Span]) -> bool {
    let text = tokens.text();
    let mut bits = tokens;
    let Some(operator) = bits.next().map(|token| token.text(text)) else { return true };
    // Bits that are set or cleared, a remainder.
    let is_fixed = |token: Token| token.kind == TokenKind::Number || token.text(text) == "~";
    if ["|", "&", "%"].contains(&operator) && bits.peek().is_some() && bits.all(is_fixed) {
        return true;
    }
    while let Some(operator) = tokens.next().map(|token| token.text(text)) {
        let Some(operand) = tokens.next() else { return false };
        let written = operand.text(text);
        let is_known = match operator {
            // `'{a}'` is an array, which grows.
            "||" if written.trim_start_matches('\'').starts_with('{') => written.contains(':') || written == "'{}'",
            "||" if written.eq_ignore_ascii_case("jsonb_build_object") => {
                let arguments = tokens.eat_parens().unwrap_or_default();
                !own.iter().any(|span| arguments.start <= span.start && span.end <= arguments.end)
            }
            "-" | "#-" if operand.is_word(text, "array") => skip_brackets(&mut tokens),
            // An element of a list makes room for the next one.
            "#-" if written.contains(|char: char| char.is_ascii_digit()) => false,
            "-" | "#-" => operand.kind.is_string(),
            _ => false,
        };
        while tokens.eat_operator("::") {
            tokens.eat_name();
            skip_brackets(&mut tokens);
        }
        if !is_known {
            return false;
        }
    }
    true
}

/// Takes what stands in brackets, if that is next.
fn skip_brackets(tokens: &mut Tokens<'_>) -> bool {
    if !tokens.eat(TokenKind::OpenBracket) {
        return false;
    }
    tokens.find(|token| token.kind == TokenKind::CloseBracket).is_some()
}

/// `((column || '{"a": 1}') - 'b')`: keys alone are set and taken out.
pub(super) fn is_of_keys(statement: &Statement<'_>, value: Span, own: &[Span]) -> bool {
    let mut tokens = statement.part(value);
    if let Some(inner) = tokens.eat_parens() {
        let inner = Span::new(inner.start + 1, inner.end.saturating_sub(1).max(inner.start + 1));
        return is_of_keys(statement, inner, own) && sets_keys(tokens, own);
    }
    eat_own(&mut tokens, own) && sets_keys(tokens, own)
}

/// `json_set(column, '$.a', json_extract(column, '$.b'))`: what is read stays as it is.
pub(super) fn reads_another_key(statement: &Statement<'_>, part: Span, own: &[Span]) -> bool {
    let key = |span: Span| {
        let text = span.text(statement.text).trim().trim_matches('\'');
        text.trim_start_matches("$.").trim_matches(['{', '}']).replace(',', ".")
    };
    let mut tokens = statement.part(part);
    let called = tokens.eat_word("json_extract").then(|| tokens.eat_parens()).flatten();
    let read = match called {
        Some(arguments) => items(statement.text, arguments, statement.dialect),
        None => {
            let Some((_, column)) = tokens.eat_name() else { return false };
            if !["->", "->>", "#>"].iter().any(|operator| tokens.eat_operator(operator)) {
                return false;
            }
            vec![column, Span::new(tokens.start(), part.end)]
        }
    };
    let ([column, path], true) = (read.as_slice(), tokens.peek().is_none() || called.is_none()) else { return false };
    let is_literal = |span: &Span| super::insert::is_literal(statement.text, *span, statement.dialect);
    let within = |left: &str, right: &str| left == right || left.starts_with(&format!("{right}."));
    let read = key(*path);
    let is_column = own.iter().any(|own| own.text(statement.text) == column.text(statement.text).trim());
    // Neither set nor taken out anywhere, around this value either.
    let mut texts = statement
        .tokens()
        .take_while(|token| !token.is_word(statement.text, "where"))
        .filter(|token| token.kind.is_string() && (token.span.end <= part.start || part.end <= token.span.start));
    is_column
        && is_literal(path)
        && !texts.any(|token| within(&read, &key(token.span)) || within(&key(token.span), &read))
}

/// `(column -> 'list') - 'a' - 'b'`: what is read of the column loses what it no longer has the next time.
pub(super) fn takes_keys_out(statement: &Statement<'_>, value: Span) -> bool {
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
