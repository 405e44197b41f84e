//! Guards that fixes write: a `DO` block with a catalog test, an exception clause, or a directive.

use super::fix::{Edit, Fix};
use super::statement::Statement;
use crate::sql::{Dialect, Kind, Name, Span, quote_literal, refuses_transaction};

/// A test in both spellings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// A condition of PostgreSQL that is true when the statement should run.
    condition: String,
    /// The directive, without its mark.
    directive: String,
}

impl Test {
    /// Makes a test from a condition and a directive.
    pub fn new(condition: impl Into<String>, directive: impl Into<String>) -> Self {
        Self { condition: condition.into(), directive: directive.into() }
    }

    /// Runs while the column is there, or while it is not.
    pub fn column(present: bool, table: &Name, column: &str) -> Self {
        let not = if present { "" } else { "NOT " };
        let column_name = Name::new([column]);
        Self::new(
            format!(
                "{not}EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass({}) AND attname = {} AND NOT attisdropped)",
                literal(&table.to_string()),
                literal(column)
            ),
            format!("{} column {table}.{column_name}", word(present)),
        )
    }

    /// Runs while the table (or another relation) is there, or while it is not.
    pub fn relation(present: bool, word_of_kind: &str, name: &Name) -> Self {
        let not = if present { "NOT " } else { "" };
        Self::new(
            format!("to_regclass({}) IS {not}NULL", literal(&name.to_string())),
            format!("{} {word_of_kind} {name}", word(present)),
        )
    }

    /// Runs while a table has, or has not, such a constraint.
    pub fn constraint(present: bool, table: &Name, name: &Name) -> Self {
        let not = if present { "" } else { "NOT " };
        Self::new(
            format!(
                "{not}EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass({}) AND conname = {})",
                literal(&table.to_string()),
                literal(name.object())
            ),
            format!("{} constraint {table}.{}", word(present), name.unqualified()),
        )
    }

    /// Runs while a query finds something, or while it finds nothing.
    pub fn query(present: bool, query: &str) -> Self {
        let not = if present { "" } else { "NOT " };
        Self::new(format!("{not}EXISTS ({query})"), format!("{} query {query}", word(present)))
    }

    /// Returns the directive.
    pub fn directive(&self) -> String {
        format!("-- dbbuild: {}", self.directive)
    }
}

const fn word(present: bool) -> &'static str {
    if present { "if" } else { "unless" }
}

fn literal(text: &str) -> String {
    quote_literal(Dialect::Postgres, text)
}

/// Puts a test around a statement: a `DO` block, inside one an `IF`, and a directive where neither can be.
pub fn test(statement: &Statement<'_>, test: &Test) -> Fix {
    if !can_nest(statement) {
        return directive(statement, test);
    }
    let lower = is_lower(statement);
    let condition = cased(&test.condition, lower);
    let (open, close) = if statement.nested {
        (cased("IF ", lower) + &condition + &cased(" THEN\n  ", lower), cased(";\n  END IF", lower))
    } else {
        let tag = tag(statement);
        (
            cased(&format!("DO {tag}\nBEGIN\n  IF "), lower) + &condition + &cased(" THEN\n    ", lower),
            cased(";\n  END IF;\nEND\n", lower) + &tag,
        )
    };
    around("ask the catalog first", statement, open, close)
}

/// Puts an exception clause around a statement.
pub fn catch(statement: &Statement<'_>, conditions: &[&str]) -> Fix {
    let lower = is_lower(statement);
    let caught = conditions.join(" OR ");
    let handler = cased(&format!(";\nEXCEPTION WHEN {caught} THEN\n  NULL;\nEND"), lower);
    let (open, close) = if statement.nested {
        (cased("BEGIN\n  ", lower), handler)
    } else {
        let tag = tag(statement);
        (cased(&format!("DO {tag}\nBEGIN\n  "), lower), format!("{handler}\n{tag}"))
    };
    around("catch that it exists", statement, open, close)
}

/// Puts a directive in front of a statement.
pub fn directive(statement: &Statement<'_>, test: &Test) -> Fix {
    let before = own_line(statement.text, statement.span.start);
    Fix::insert("guard it with a directive", statement.span.start, before.0 + &test.directive() + "\n" + before.1)
}

/// Puts a group directive around statements that belong together; `end` is behind the last one.
pub fn group(text: &str, span: Span, test: &Test) -> Fix {
    let before = own_line(text, span.start);
    let open = format!("{}{} begin\n{}", before.0, test.directive(), before.1);
    // A comment behind the last statement stays with it.
    let rest = text.get(span.end..).unwrap_or_default();
    let line = rest.find('\n').map_or(rest, |end| rest.get(..end).unwrap_or_default());
    let is_comment = line.trim().is_empty() || line.trim_start().starts_with("--");
    let end = span.end + if is_comment { line.trim_end().len() } else { 0 };
    Fix::edits("guard them as a group", vec![Edit::insert(span.start, open), Edit::insert(end, "\n-- dbbuild: end")])
}

/// What has to come before a line of its own, and the indentation that has to follow it.
fn own_line(text: &str, at: usize) -> (String, &str) {
    let line_start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |found| found + 1);
    let indent = text.get(line_start..at).unwrap_or_default();
    if indent.chars().all(char::is_whitespace) { (String::new(), indent) } else { ("\n".to_owned(), "") }
}

fn around(title: &str, statement: &Statement<'_>, open: String, close: String) -> Fix {
    let edits = vec![Edit::insert(statement.span.start, open), Edit::insert(statement.span.end, close)];
    Fix::edits(title, edits)
}

fn can_nest(statement: &Statement<'_>) -> bool {
    // The block is written in the language, which may go.
    let is_language = statement.head.kind == Some(Kind::Language);
    let plain = !statement.has_data && !is_language && refuses_transaction(statement.tokens()).is_none();
    statement.dialect == Dialect::Postgres && plain || statement.nested
}

/// A dollar tag that the statement does not hold.
fn tag(statement: &Statement<'_>) -> String {
    let text = statement.span.text(statement.text);
    let mut tags = std::iter::once("$do$".to_owned()).chain((1_u32..).map(|number| format!("$do{number}$")));
    tags.find(|tag| !text.contains(tag.as_str())).unwrap_or_default()
}

/// The argument types behind a routine's name, if they are written as types alone.
pub fn signature(statement: &Statement<'_>) -> Option<String> {
    let mut tokens = statement.tokens_behind_name();
    let list = tokens.eat_parens()?;
    let plain = super::shape::items(statement.text, list, statement.dialect).into_iter().all(|item| {
        let mut one = statement.part(item);
        one.eat_any(&["double", "character", "bit"]);
        one.eat_name().is_some() && {
            one.eat_parens();
            while one.eat(crate::sql::TokenKind::OpenBracket) || one.eat(crate::sql::TokenKind::CloseBracket) {}
            one.peek().is_none()
        }
    });
    plain.then(|| list.text(statement.text).to_owned())
}

/// Whether the author writes keywords in lower case.
pub fn is_lower(statement: &Statement<'_>) -> bool {
    statement.head.verb_span.text(statement.text).starts_with(|first: char| first.is_ascii_lowercase())
}

/// Writes keywords as the author does; what is quoted stays as it is.
pub fn cased(text: &str, lower: bool) -> String {
    if !lower {
        return text.to_owned();
    }
    let mut quote = None;
    let fold = |char: char| {
        match quote {
            Some(open) if open == char => quote = None,
            None if char == '\'' || char == '"' => quote = Some(char),
            Some(_) => return char,
            None => {}
        }
        char.to_ascii_lowercase()
    };
    text.chars().map(fold).collect()
}
