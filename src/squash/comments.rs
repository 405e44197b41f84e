//! The comments of scripts that will be deleted: how many there are, and what those on tables and columns say.

use crate::build::{Checkout, Reading, load};
use crate::error::Error;
use crate::project::Project;
use crate::script::Script;
use crate::sql::{Dialect, Head, Kind, Lexer, Name, Span, Statements, Token, TokenKind, Tokens, Verb};

/// A comment that says something of a table or a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The table.
    pub table: Name,
    /// The column; none for the table itself.
    pub column: Option<String>,
    /// What it says.
    pub text: String,
}

/// Files with how many comments they have.
pub type Counts = Vec<(String, usize)>;

/// Returns, for each script with comments, how many it has, and what they say of tables and columns.
pub fn comments(project: &Project, checkout: &Checkout, scripts: &[&Script]) -> Result<(Counts, Vec<Comment>), Error> {
    let (mut counts, mut all) = (Vec::new(), Vec::new());
    for script in scripts {
        let reading = Reading { dialect: checkout.dialect, layout: Some(project.layout()), variables: None };
        let text = load(project, &script.file, reading)?.text;
        let count = count(text.as_str(), checkout.dialect);
        if count > 0 {
            counts.push((script.file.clone(), count));
        }
        all.extend(of_text(text.as_str(), checkout.dialect));
    }
    Ok((counts, all))
}

fn count(text: &str, dialect: Dialect) -> usize {
    let tokens = Lexer::new(text, dialect).map_while(Result::ok);
    tokens.filter(|token| said(*token, text).is_some()).count()
}

/// Returns what a comment says; nothing for what is none, says nothing, or is a directive.
fn said(token: Token, text: &str) -> Option<&str> {
    let written = token.span.text(text);
    let inner = match token.kind {
        TokenKind::LineComment => written.trim_start_matches('-'),
        TokenKind::BlockComment => written.trim_start_matches("/*").trim_end_matches("*/").trim_matches('*'),
        _ => return None,
    };
    let inner = inner.trim();
    let is_rule = !inner.chars().any(char::is_alphanumeric);
    (!is_rule && !inner.starts_with("dbbuild:")).then_some(inner)
}

/// Reads the comments in front of `CREATE TABLE` and in front of or behind each of its columns.
fn of_text(text: &str, dialect: Dialect) -> Vec<Comment> {
    let mut found = Vec::new();
    let mut end_of_last = 0;
    for statement in Statements::new(text, dialect).map_while(Result::ok) {
        let head = Head::of(Tokens::new(text, statement.span, dialect));
        let (Verb::Create, Some(Kind::Table), Some(table), Some(name)) =
            (head.verb, head.kind, &head.name, head.name_span)
        else {
            end_of_last = statement.span.end;
            continue;
        };
        let before = leading(text, Span::new(end_of_last, head.verb_span.start), dialect);
        if let Some(text) = before.filter(|_| !head.temporary) {
            found.push(Comment { table: table.clone(), column: None, text });
        }
        if !head.temporary {
            columns(text, Span::new(name.end, statement.span.end), dialect, table, &mut found);
        }
        end_of_last = statement.span.end;
    }
    found
}

/// Returns the comments that stand right in front of something, without an empty line in between.
fn leading(text: &str, span: Span, dialect: Dialect) -> Option<String> {
    let mut lines: Vec<&str> = Vec::new();
    for token in Lexer::part(text, span, dialect).map_while(Result::ok) {
        match token.kind {
            TokenKind::Whitespace if token.span.text(text).matches('\n').count() > 1 => lines.clear(),
            kind if kind.is_comment() => lines.extend(said(token, text)),
            TokenKind::Whitespace => {}
            _ => lines.clear(),
        }
    }
    (!lines.is_empty()).then(|| lines.join(" "))
}

const NO_COLUMNS: [&str; 7] = ["constraint", "primary", "unique", "foreign", "check", "exclude", "like"];

fn columns(text: &str, span: Span, dialect: Dialect, table: &Name, found: &mut Vec<Comment>) {
    let (mut depth, mut column, mut before): (usize, Option<String>, Vec<&str>) = (0, None, Vec::new());
    // The column whose comma was the last token of this line: a comment behind it is about that column.
    let mut ended: Option<String> = None;
    let mut said_of: Vec<(String, Vec<&str>)> = Vec::new();
    let mut is_start = false;
    for token in Lexer::part(text, span, dialect).map_while(Result::ok) {
        match token.kind {
            TokenKind::OpenParen => {
                depth += 1;
                is_start |= depth == 1;
            }
            TokenKind::CloseParen => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            TokenKind::Comma if depth == 1 => {
                ended = column.take();
                is_start = true;
            }
            TokenKind::Whitespace => {
                if token.span.text(text).contains('\n') {
                    ended = None;
                }
            }
            kind if kind.is_comment() => {
                let Some(words) = said(token, text) else { continue };
                match column.as_ref().or(ended.as_ref()) {
                    Some(column) => said_of.push((column.clone(), vec![words])),
                    None => before.push(words),
                }
            }
            TokenKind::Word | TokenKind::QuotedIdentifier | TokenKind::UnicodeIdentifier if is_start && depth == 1 => {
                is_start = false;
                let written = token.span.text(text);
                let is_column =
                    token.kind != TokenKind::Word || !NO_COLUMNS.contains(&written.to_ascii_lowercase().as_str());
                column = is_column.then(|| Name::part(written, token.kind, dialect).object().to_owned());
                let words = std::mem::take(&mut before);
                if let Some(column) = column.as_ref().filter(|_| !words.is_empty()) {
                    said_of.push((column.clone(), words));
                }
                ended = None;
            }
            _ => is_start = false,
        }
    }
    for (column, words) in said_of {
        let text = words.join(" ");
        let is_same = |comment: &&mut Comment| comment.table == *table && comment.column.as_ref() == Some(&column);
        match found.iter_mut().find(is_same) {
            Some(comment) => comment.text = format!("{} {text}", comment.text),
            None => found.push(Comment { table: table.clone(), column: Some(column), text }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_on_tables_and_columns_are_read_and_others_counted() {
        let text = "-- File of the shop's first tables.\n\n\
            -- Who buys.\n-- Never deleted.\ncreate table if not exists customer (\n    \
            id integer primary key, -- from the old system\n    \
            -- as on the passport\n    name text not null check (name <> ''),\n    \
            \"E-Mail\" text /* may be empty */ , -- lower case\n    \
            -- dbbuild: allow(x) y\n    constraint one unique (name) -- not a column\n);\n\
            -- ------\n/* an index */ create index i on customer (name);\n\
            create temp table t (a int -- nothing\n);\n";
        let found: Vec<String> = of_text(text, Dialect::Postgres)
            .into_iter()
            .map(|comment| format!("{} {:?} {}", comment.table, comment.column.unwrap_or_default(), comment.text))
            .collect();
        let expected = [
            "customer \"\" Who buys. Never deleted.",
            "customer \"id\" from the old system",
            "customer \"name\" as on the passport",
            "customer \"E-Mail\" may be empty lower case",
        ];
        assert_eq!(found, expected);
        assert_eq!(count(text, Dialect::Postgres), 10);
    }
}
