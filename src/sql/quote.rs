//! Literals and identifiers as SQL text.

use super::Dialect;

/// A string literal that means `value`.
///
/// PostgreSQL: a value with a backslash becomes an `E''` literal, so that it
/// means the same whatever `standard_conforming_strings` is. A NUL fits neither
/// server; the lexer refuses it wherever the literal ends up.
#[must_use]
pub fn quote_literal(dialect: Dialect, value: &str) -> String {
    let doubled = value.replace('\'', "''");
    if dialect == Dialect::Postgres && value.contains('\\') {
        return format!("E'{}'", doubled.replace('\\', "\\\\"));
    }
    format!("'{doubled}'")
}

/// A quoted identifier that means `name`. Always quoted: no list of keywords
/// has to be right, and the case is kept.
#[must_use]
pub fn quote_identifier(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::Postgres | Dialect::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting() {
        assert_eq!(quote_literal(Dialect::Postgres, "a'b"), "'a''b'");
        assert_eq!(quote_literal(Dialect::Postgres, "a\\'b"), "E'a\\\\''b'");
        assert_eq!(quote_literal(Dialect::Sqlite, "a\\'b"), "'a\\''b'");
        assert_eq!(quote_identifier(Dialect::Sqlite, "a\"b"), "\"a\"\"b\"");
    }
}
