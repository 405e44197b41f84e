//! Any bytes, as a script of either dialect: the tokens tile the text, the parts joined give it back, and nothing
//! that reads them panics.
#![no_main]

use dbbuild::script::{Text, cut, normalise, token_checksum};
use dbbuild::sql::{Dialect, Lexer, Statements, Tokens, actions, creates, mentions, refuses_transaction, variables};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = normalise("fuzz.sql", bytes.to_vec()) else { return };
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        tokens_tile(&text, dialect);
        parts_rejoin(&text, dialect);
        // Whatever they say: that they say it is all that is asked.
        let _ = variables(&text, dialect);
        token_checksum(&text, dialect);
        let _ = cut(&Text::of_file("fuzz.sql", text.clone()), dialect, &[]);
    }
});

fn tokens_tile(text: &str, dialect: Dialect) {
    let mut at = 0;
    for token in Lexer::new(text, dialect) {
        let Ok(token) = token else { return };
        assert!(token.span.start == at && token.span.end > at && text.is_char_boundary(token.span.end));
        at = token.span.end;
    }
    assert_eq!(at, text.len());
}

fn parts_rejoin(text: &str, dialect: Dialect) {
    let mut statements = Statements::new(text, dialect);
    let mut joined = String::new();
    for statement in statements.by_ref() {
        let Ok(statement) = statement else { return };
        assert!(!statement.span.is_empty());
        for span in [statement.lead, statement.span, statement.tail] {
            joined.push_str(span.text(text));
        }
        let tokens = Tokens::new(text, statement.span, dialect);
        creates(tokens);
        mentions(tokens);
        actions(tokens);
        let _ = refuses_transaction(tokens);
    }
    joined.push_str(statements.rest().text(text));
    assert_eq!(joined, text);
}
