//! `COPY` between the server and its client, which is us.

use super::{Dialect, TokenKind, Tokens};

/// Whether a statement is `COPY … FROM STDIN`, whose data the client sends.
#[must_use]
pub fn copy_from_stdin(tokens: Tokens<'_>) -> bool {
    copies(tokens, "from", "stdin")
}

/// Whether a statement is `COPY … TO STDOUT`, whose data the client must take.
#[must_use]
pub fn copy_to_stdout(tokens: Tokens<'_>) -> bool {
    copies(tokens, "to", "stdout")
}

fn copies(mut tokens: Tokens<'_>, direction: &str, end: &str) -> bool {
    if tokens.dialect() != Dialect::Postgres || !tokens.eat_word("copy") {
        return false;
    }
    // A table or a query in parentheses; then FROM or TO, whichever is first.
    if !tokens.at(TokenKind::OpenParen) {
        tokens.eat_word("binary");
        tokens.eat_name();
    }
    tokens.skip_to_any(&["from", "to"]) && tokens.eat_words(&[direction, end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions() {
        let from = |text| copy_from_stdin(Tokens::of(text, Dialect::Postgres));
        let to = |text| copy_to_stdout(Tokens::of(text, Dialect::Postgres));
        assert!(from("copy t from stdin"));
        assert!(from("COPY s.t (a, \"from\") FROM STDIN WITH (FORMAT csv)"));
        assert!(from("copy binary t from stdin"));
        assert!(!from("copy t from 'stdin'"));
        assert!(!from("copy t from program 'x'"));
        assert!(!from("copy (select a from stdin) to stdout"));
        assert!(to("copy (select a from stdin) to stdout (format csv)"));
        assert!(to("copy t to stdout"));
        assert!(!to("copy t to '/x'"));
    }
}
