//! Texts as the `sqlite3` shell reads them (<https://sqlite.org/cli.html>).

use crate::sql::{Dialect, Lexer, Span, Token, TokenKind, quote_literal};

/// Keeps the rows without parents that there are before a text with foreign keys off.
pub(super) const ORPHANS_BEFORE: &str = r#"create temp table dbbuild_orphans as
select "table", rowid as row, parent, count(*) as number from pragma_foreign_key_check group by 1, 2, 3;
"#;

/// Stops if there are more of them after it.
pub(super) const ORPHANS_AFTER: &str = r#"create temp table dbbuild_check (
  holds constraint "foreign keys are violated that were not before" check (holds)
);
insert into dbbuild_check
select not exists (
  select 1
    from (select "table", rowid as row, parent, count(*) as number from pragma_foreign_key_check group by 1, 2, 3) now
   where now.number > coalesce((select old.number from dbbuild_orphans old
                                 where old."table" = now."table" and old.row is now.row and old.parent = now.parent), 0)
);
drop table dbbuild_check;
drop table dbbuild_orphans;
"#;

/// Returns a value in single quotes.
pub(super) fn literal(value: &str) -> String {
    quote_literal(Dialect::Sqlite, value)
}

/// Returns a value in single quotes, or `null`.
pub(super) fn optional(value: Option<&str>) -> String {
    value.map_or_else(|| "null".to_owned(), literal)
}

/// Returns an argument of a dot command. In double quotes `\` escapes.
pub(super) fn argument(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Returns a statement. A line that holds nothing but `/` or `go` would end it, as in other vendors' shells, so such
/// a line is joined to the one before.
pub(super) fn statement(text: &str, span: Span) -> String {
    let tokens: Vec<Token> = Lexer::part(text, span, Dialect::Sqlite).map_while(Result::ok).collect();
    let mut safe = String::with_capacity(span.len());
    for (index, token) in tokens.iter().enumerate() {
        let written = token.span.text(text);
        let next = tokens.get(index + 1).map_or("", |next| next.span.text(text));
        let is_end = next == "/" || next.eq_ignore_ascii_case("go");
        let after_comment = index.checked_sub(1).is_some_and(|before| tokens[before].kind == TokenKind::LineComment);
        match token.kind {
            TokenKind::Whitespace if is_end && written.contains('\n') && after_comment => {
                // The line break ends a comment and must stay.
                safe.push_str("\n/**/ ");
            }
            TokenKind::Whitespace if is_end && written.contains('\n') => safe.push(' '),
            _ => safe.push_str(written),
        }
    }
    safe
}
