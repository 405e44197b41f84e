//! Properties of the lexer and the splitter, on generated texts.

use dbbuild::sql::{
    LexErrorKind, Lexer, LineIndex, Span, Statements, Tokens, actions, creates, fusion_barrier, mentions,
    refuses_transaction, session_object, session_setting, split, variables,
};
use proptest::prelude::*;

use crate::known::{dialect, script};

/// Pieces that open, close or look like something.
const PIECES: &[&str] = &[
    "'",
    "''",
    "\"",
    "`",
    "[",
    "]",
    "$",
    "$$",
    "$a$",
    "$é$",
    "/*",
    "*/",
    "/",
    "*",
    "--",
    "\n",
    "\r\n",
    " ",
    "\t",
    ";",
    "(",
    ")",
    "begin",
    "atomic",
    "end",
    "case",
    "create ",
    "or replace ",
    "function ",
    "procedure ",
    "trigger ",
    "temp ",
    "explain ",
    "e'",
    "E'",
    "U&'",
    "U&\"",
    "N'",
    "x'",
    "\\",
    "\\.\n",
    "\\x",
    "copy t from stdin;\n",
    "copy ",
    "from ",
    "stdin",
    "a",
    "é",
    "1",
    ".",
    "..",
    ":",
    "::",
    ":=",
    "?",
    "@",
    "+",
    "-",
    "=>",
    ",",
    "as ",
    "\u{b}",
    "\u{feff}",
    "1e",
    "_",
    "#",
    "~",
    "with ",
    "select ",
    "in",
    "alter table t ",
    "add ",
    "set_config(",
    "into ",
];

fn text() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat());
    prop_oneof![4 => pieces, 1 => any::<String>(), 1 => "\\PC*"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tokens_tile_the_text(dialect in dialect(), text in text()) {
        let mut at = 0;
        for token in Lexer::new(&text, dialect) {
            match token {
                Ok(token) => {
                    prop_assert_eq!(token.span.start, at);
                    prop_assert!(token.span.end > at && text.is_char_boundary(token.span.end));
                    at = token.span.end;
                }
                Err(error) => {
                    prop_assert!(error.span.start >= at && error.span.end <= text.len());
                    return Ok(());
                }
            }
        }
        prop_assert_eq!(at, text.len());
    }

    #[test]
    fn parts_rejoin(dialect in dialect(), text in text()) {
        let mut statements = Statements::new(&text, dialect);
        let mut joined = String::new();
        for statement in statements.by_ref() {
            let statement = match statement {
                Ok(statement) => statement,
                Err(error) if matches!(error.kind, LexErrorKind::MetaCommand { .. }) => {
                    prop_assert!(!error.span.is_empty());
                    return Ok(());
                }
                Err(_) => return Ok(()),
            };
            for span in [statement.lead, statement.span, statement.tail] {
                joined.push_str(span.text(&text));
            }
            prop_assert!(!statement.span.is_empty());
            // What leads a statement is nothing that a server would run.
            prop_assert_eq!(split(statement.lead.text(&text), dialect).map(|found| found.len()), Ok(0));
        }
        joined.push_str(statements.rest().text(&text));
        prop_assert_eq!(joined, text);
    }

    #[test]
    fn parts_split_to_themselves(dialect in dialect(), text in text()) {
        for statement in split(&text, dialect).unwrap_or_default() {
            let own = Span::new(statement.span.start, statement.tail.end);
            let again = split(own.text(&text), dialect);
            prop_assert_eq!(again.as_ref().map(Vec::len), Ok(1), "{:?}", own.text(&text));
            let again = again.unwrap_or_default();
            prop_assert_eq!(again[0].text(own.text(&text)), statement.text(&text));
            prop_assert_eq!(again[0].terminated, statement.terminated);
            prop_assert_eq!(again[0].copy_data.map(|data| data.shift(own.start)), statement.copy_data);
        }
    }

    #[test]
    fn known_statements_come_back((dialect, text, known) in script()) {
        let found = split(&text, dialect).unwrap();
        let found: Vec<&str> = found.iter().map(|statement| statement.text(&text)).collect();
        prop_assert_eq!(found, known);
    }

    #[test]
    fn nothing_panics(dialect in dialect(), text in text()) {
        let lines = LineIndex::new(&text);
        for byte in 0..=text.len() + 1 {
            let position = lines.position(&text, byte);
            prop_assert!(lines.line_span(position.line).start <= byte);
        }
        let _ = variables(&text, dialect);
        let tokens = Tokens::of(&text, dialect);
        let _ = (actions(tokens), creates(tokens), mentions(tokens), fusion_barrier(tokens));
        let _ = (refuses_transaction(tokens), session_object(tokens), session_setting(tokens));
    }
}
