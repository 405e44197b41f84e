//! Texts as `psql` reads them.
//!
//! `psql` puts in the values of its own variables wherever SQL has a colon in front of a word, a string or a
//! quoted name: in an array slice `a[1:HOST]`, in `json_object('a':'USER')`. A blank behind the colon means the
//! same to the server and nothing to `psql`
//! (<https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-INTERPOLATION>).

use super::super::journal::DIALECT;
use crate::sql::{Lexer, Span, TokenKind};

/// Returns a stretch of a text with a blank behind each colon that `psql` would take for its own.
pub(super) fn statement(text: &str, span: Span) -> String {
    let mut safe = String::with_capacity(span.len() + 16);
    let mut from = span.start;
    let colons = Lexer::part(text, span, DIALECT).map_while(Result::ok);
    for colon in colons.filter(|token| token.kind == TokenKind::Colon) {
        let next = text.get(colon.span.end..span.end).and_then(|rest| rest.chars().next());
        if next.is_some_and(|next| next.is_alphanumeric() || !next.is_ascii() || "_'\"{".contains(next)) {
            safe.push_str(text.get(from..colon.span.end).unwrap_or_default());
            safe.push(' ');
            from = colon.span.end;
        }
    }
    safe.push_str(text.get(from..span.end).unwrap_or_default());
    safe
}

/// Returns an argument of a meta-command, in single quotes, on one line.
pub(super) fn argument(text: &str) -> String {
    let mut quoted = String::from("'");
    for char in text.chars() {
        match char {
            '\'' => quoted.push_str("''"),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted + "'"
}

/// Returns the command that prints a line.
pub(super) fn echo(text: &str) -> String {
    format!("\\echo {}\n", argument(&crate::engine::offline::one_line(text)))
}

/// Returns a text in dollar quotes that it does not end by itself.
pub(super) fn dollar(text: &str) -> String {
    let mut tag = "dbbuild".to_owned();
    while text.contains(&format!("${tag}$")) {
        tag.push('_');
    }
    format!("${tag}${text}${tag}$")
}
