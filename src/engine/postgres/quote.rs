//! Names and values as SQL text, for the statements of the tool itself.

use crate::sql::{Dialect, quote_identifier, quote_literal};

/// Returns a name in double quotes.
pub(super) fn ident(name: &str) -> String {
    quote_identifier(Dialect::Postgres, name)
}

/// Returns a value in single quotes; it means the same whatever `standard_conforming_strings` is.
pub(super) fn literal(value: &str) -> String {
    quote_literal(Dialect::Postgres, value)
}

/// Returns a value in single quotes, or `null`.
pub(super) fn optional(value: Option<&str>) -> String {
    value.map_or_else(|| "null".to_owned(), literal)
}

/// Returns names joined as a qualified name: `"public"."customer"`.
pub(super) fn qualified<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    parts.into_iter().map(ident).collect::<Vec<_>>().join(".")
}
