//! A definition without what means nothing.

use crate::sql::{Dialect, Name, TokenKind, Tokens};

/// Returns the tokens, one blank between them: words in lower case, names without their quotes. A name that needs
/// quotes keeps one kind of them.
pub(in crate::engine::sqlite) fn essence(sql: &str) -> String {
    let mut text = String::new();
    for token in Tokens::of(sql, Dialect::Sqlite) {
        if token.kind == TokenKind::Semicolon && text.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        match token.kind {
            TokenKind::Word | TokenKind::QuotedIdentifier => {
                text.push_str(&Name::part(token.text(sql), token.kind, Dialect::Sqlite).to_string());
            }
            TokenKind::Number => text.push_str(&token.text(sql).to_ascii_lowercase()),
            _ => text.push_str(token.text(sql)),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_means_nothing() {
        assert_eq!(
            essence("CREATE  TABLE \"Customer\"(a -- first\n, [b c])"),
            essence("create table customer (A,\"B C\")")
        );
        assert_ne!(essence("select 'A'"), essence("select 'a'"));
        assert_ne!(essence("select a b"), essence("select ab"));
    }
}
