//! The texts that `EXECUTE` runs inside `DO` blocks.
//!
//! `EXECUTE 'text'` is read as it stands. What `format` fills in, or `||` puts between, is covered with letters, so that
//! the text reads as one statement whose places are those of the script.

use std::borrow::Cow;

use super::statement::{Guarding, Statement};
use crate::sql::{Dialect, Lexed, Span, Statements, Token, TokenKind, Tokens, Verb};

/// The letter that covers: it takes two bytes, as `%I` does, and nobody uses it in a name.
const COVER: &str = "Ø";

/// Writes the covering letter over some bytes.
fn fill(bytes: &mut [u8]) {
    bytes.fill(b'_');
    for pair in bytes.chunks_exact_mut(COVER.len()) {
        pair.copy_from_slice(COVER.as_bytes());
    }
}

/// Returns true if part of a text is covered.
pub(super) fn is_covered(text: &str) -> bool {
    text.contains(COVER)
}

/// Shows what is covered as it is shown to people.
pub(super) fn shown(message: String) -> String {
    if !is_covered(&message) {
        return message;
    }
    let mut shown = message.replace(COVER, "…");
    while shown.contains("……") {
        shown = shown.replace("……", "…");
    }
    shown
}

/// Covers what is filled into texts that are executed. The result is as long as the text.
pub(super) fn covered(text: &str, dialect: Dialect) -> Cow<'_, str> {
    let has = |word: &str| text.contains(word) || text.contains(&word.to_ascii_uppercase());
    if dialect == Dialect::Sqlite || !has("execute") || !(has("format") || text.contains("||")) {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    for statement in Statements::new(text, dialect).flatten() {
        let mut tokens = Tokens::new(text, statement.span, dialect);
        if !tokens.at_word("do") {
            continue;
        }
        let Some(body) = tokens.find(|token| token.kind == TokenKind::DollarString) else { continue };
        let Some(tag) = text.get(body.span.start + 1..).and_then(|rest| rest.find('$')).map(|at| at + 2) else {
            continue;
        };
        let inner = Span::new(body.span.start + tag, body.span.end.saturating_sub(tag).max(body.span.start + tag));
        let mut tokens = Tokens::new(text, inner, dialect);
        while tokens.peek().is_some() {
            if tokens.eat_word("execute") || assigns(&mut tokens) && tokens.at_word("format") {
                cover(tokens, &mut bytes);
            } else {
                tokens.next();
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Covers what is filled into the text behind an `EXECUTE`.
fn cover(mut tokens: Tokens<'_>, bytes: &mut [u8]) {
    let text = tokens.text();
    if tokens.at_word("format") {
        tokens.next();
        tokens.eat(TokenKind::OpenParen);
        if let Some(string) = tokens.peek().filter(|token| token.kind.is_string()) {
            placeholders(&mut bytes[string.span.start..string.span.end]);
        }
        return;
    }
    let is_joint = |token: Token| token.kind == TokenKind::Operator && token.text(text) == "||";
    let Some(mut left) = tokens.next().filter(|token| token.kind == TokenKind::String) else { return };
    while tokens.peek().is_some_and(is_joint) {
        tokens.next();
        let mut between = tokens;
        // Up to the next text, or to the end.
        while between.peek().is_some_and(|token| !matches!(token.kind, TokenKind::String | TokenKind::Semicolon)) {
            if between.eat_parens().is_none() {
                if between.at_word("using") {
                    break;
                }
                between.next();
            }
        }
        let right = between.peek().filter(|token| token.kind == TokenKind::String);
        match right {
            Some(right) => fill(&mut bytes[left.span.end - 1..=right.span.start]),
            None => {
                fill(&mut bytes[left.span.end - 1..between.end() - 1]);
                bytes[between.end() - 1] = b'\'';
                return;
            }
        }
        between.next();
        tokens = between;
        left = right.unwrap_or(left);
    }
}

/// `%I`, `%1$L`, `%s` become letters.
fn placeholders(text: &mut [u8]) {
    let mut at = 0;
    while at + 1 < text.len() {
        if text[at] == b'%' {
            let end = (at + 1..text.len()).find(|end| !text[*end].is_ascii_digit() && text[*end] != b'$');
            match end.filter(|end| matches!(text[*end], b'I' | b's' | b'L')) {
                Some(end) => {
                    fill(&mut text[at..=end]);
                    at = end;
                }
                None => at += 1,
            }
        }
        at += 1;
    }
}

/// Takes `:=`, which the lexer may give apart.
pub(super) fn assigns(tokens: &mut Tokens<'_>) -> bool {
    tokens.eat_operator(":=") || {
        let mut ahead = *tokens;
        let colon = ahead.next().is_some_and(|token| token.text(ahead.text()) == ":");
        let both = colon && ahead.eat_operator("=");
        if both {
            *tokens = ahead;
        }
        both
    }
}

/// `variable := format('text', …)`, where the block executes the variable: the text from the `format` on.
pub(super) fn assigned(text: &str, span: Span, body: Span) -> Option<Span> {
    let mut tokens = Tokens::new(text, span, Dialect::Postgres);
    let variable = tokens.next()?.text(text);
    let start = tokens.end();
    let is_text = assigns(&mut tokens) && (tokens.at_word("format") || tokens.peek()?.kind.is_string());
    let mut words = Tokens::new(text, body, Dialect::Postgres);
    let mut executes = false;
    while is_text && words.skip_past("execute") {
        executes |= words.peek().is_some_and(|token| token.text(text).eq_ignore_ascii_case(variable));
    }
    executes.then_some(Span::new(start, span.end))
}

/// The statements of a text that is executed: `EXECUTE 'text'`, `EXECUTE format('text', …)`.
pub(super) fn executed<'a>(lexed: &'a Lexed<'a>, span: Span, around: &[Guarding]) -> Vec<Statement<'a>> {
    let text = lexed.text;
    let mut found = Vec::new();
    let mut tokens = Tokens::new(text, span, Dialect::Postgres);
    if !assigns(&mut tokens) {
        tokens.next();
    }
    if tokens.at_word("format") {
        tokens.next();
        tokens.eat(TokenKind::OpenParen);
    }
    let Some(string) = tokens.next().filter(|token| token.kind.is_string()) else { return found };
    let written = string.text(text);
    let quote = match string.kind {
        TokenKind::DollarString => written.get(1..).and_then(|rest| rest.find('$')).map_or(0, |at| at + 2),
        _ => usize::from(written.starts_with('\'')),
    };
    let is_whole = !tokens.peek().is_some_and(|token| token.kind == TokenKind::Operator);
    // What stays to be filled in is not known: nothing is read.
    if quote == 0 || !is_whole || written.len() < 2 * quote || written.contains("%I") || written.contains("%s") {
        return found;
    }
    let inner = Span::new(string.span.start + quote, string.span.end - quote);
    let mut parts = Tokens::new(text, inner, Dialect::Postgres);
    while parts.peek().is_some() {
        let start = parts.start();
        let mut end = start;
        while let Some(token) = parts.peek().filter(|token| token.kind != TokenKind::Semicolon) {
            end = token.span.end;
            parts.next();
        }
        parts.eat(TokenKind::Semicolon);
        let mut read = Statement::read(lexed, Span::new(start, end));
        read.guards = around.to_vec();
        (read.nested, read.embedded) = (true, true);
        // Quotes are doubled in it, so values cannot be read.
        let is_structure = matches!(read.head.verb, Verb::Create | Verb::Alter | Verb::Drop);
        let has_quotes = quote == 1 && inner.text(text).contains("''");
        let is_sql = !matches!(read.head.verb, Verb::Other | Verb::Execute | Verb::Select | Verb::Do);
        if is_sql && (is_structure || !has_quotes) {
            found.push(read);
        }
    }
    found
}
