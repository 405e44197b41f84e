//! The names that PostgreSQL gives to what has none.
//!
//! They are made of the table, the columns and what it is; see `ChooseIndexName` and `ChooseConstraintName` in its
//! source. Where a name depends on more than the statement, there is none here.

use super::context::Context;
use super::shape::{self, items};
use super::statement::Statement;
use crate::sql::{Action, Kind, Name, Span, TokenKind, Tokens};

/// The longest name that PostgreSQL does not cut.
pub const LONGEST: usize = 63;

/// Returns the name that a constraint gets that an `ALTER` adds.
pub fn of_action(context: &Context<'_>, statement: &Statement<'_>, action: &Action) -> Option<String> {
    let owner = statement.head.name.as_ref()?;
    let mut tokens = statement.part(action.span);
    tokens.eat_word("add");
    if statement.head.kind == Some(Kind::Domain) {
        of_domain(context, owner, statement)
    } else {
        constraint(tokens, owner, statement)
    }
}

/// Table, columns, and what it is.
fn constraint(mut tokens: Tokens<'_>, owner: &Name, statement: &Statement<'_>) -> Option<String> {
    let first = tokens.eat_any(&["check", "unique", "foreign"])?;
    tokens.eat_word("key");
    let (columns, suffix) = match first {
        "check" => {
            let condition = tokens.eat_parens()?;
            let inner = statement.part(condition);
            let words: Vec<String> = inner
                .filter(|token| token.kind.is_identifier())
                .map(|token| token.text(statement.text).to_lowercase())
                .collect();
            // With one column in it the name has that column; which words are columns is known only for one word.
            let [only] = words.as_slice() else { return None };
            (vec![only.trim_matches('"').to_owned()], "check")
        }
        "unique" => (shape::columns(&mut tokens)?, "key"),
        _ => (shape::columns(&mut tokens)?, "fkey"),
    };
    joined(owner, &columns, suffix)
}

fn joined(owner: &Name, columns: &[String], suffix: &str) -> Option<String> {
    let name = format!("{}_{}_{suffix}", owner.object(), columns.join("_"));
    (name.len() <= LONGEST && !columns.is_empty()).then_some(name)
}

/// A domain's constraints are called after it alone; with one of that name already a number follows.
fn of_domain(context: &Context<'_>, owner: &Name, statement: &Statement<'_>) -> Option<String> {
    let name = format!("{}_check", owner.object());
    let known = context.history.other(Kind::Domain, owner, context.moment(statement))?;
    let taken =
        known.split(' ').any(|word| word == "check") && (!known.contains("constraint") || known.contains(&name));
    (!taken).then_some(name)
}

/// Returns the name that an index or a statistics object gets.
pub fn of_index(statement: &Statement<'_>) -> Option<String> {
    let table = statement.head.table.as_ref()?;
    let mut tokens = statement.tokens();
    tokens.skip_to_any(&["on"]);
    tokens.next();
    if statement.head.kind != Some(Kind::Index) {
        let columns: Vec<String> = shape::names(tokens).iter().map(|name| name.object().to_owned()).collect();
        return joined(table, &columns, "stat");
    }
    tokens.eat_word("only");
    tokens.eat_name();
    if tokens.eat_word("using") {
        tokens.eat_name();
    }
    let list = tokens.eat_parens()?;
    let mut columns: Vec<String> = Vec::new();
    for item in items(statement.text, list, statement.dialect) {
        let name = of_element(statement, item)?;
        columns.extend(numbered(&name).find(|name| !columns.contains(name)));
    }
    joined(table, &columns, "idx")
}

/// A name, and those that follow where it is taken: the second of a name gets a number, the third the next one.
pub fn numbered(name: &str) -> impl Iterator<Item = String> {
    let rest = (1_u32..).map(move |number| format!("{name}{number}"));
    std::iter::once(name.to_owned()).chain(rest)
}

/// What an element of an index is called: its column, the function of an expression, or `expr`.
fn of_element(statement: &Statement<'_>, item: Span) -> Option<String> {
    let mut tokens = statement.part(item);
    if tokens.at(TokenKind::OpenParen) {
        let inner = tokens.eat_parens()?;
        let inner = Span::new(inner.start + 1, inner.end.saturating_sub(1).max(inner.start + 1));
        return of_expression(statement, inner);
    }
    let (name, _) = tokens.eat_name()?;
    Some(name.object().to_owned())
}

fn of_expression(statement: &Statement<'_>, span: Span) -> Option<String> {
    let mut tokens = statement.part(span);
    let is_operator = |token: &crate::sql::Token| token.kind == TokenKind::Operator;
    let text = span.text(statement.text);
    // A cast is called after what it casts, or after its type.
    let first = tokens.eat_name().map(|(name, _)| name.object().to_owned());
    let is_call = tokens.eat_parens().is_some() && tokens.peek().is_none();
    if is_call {
        return first;
    }
    let plain = !text.contains("::") && statement.part(span).any(|token| is_operator(&token));
    let special = statement.part(span).has_any(&["case", "coalesce", "cast", "collate", "array", "row"]);
    (plain && !special).then(|| "expr".to_owned())
}

/// Returns the new name of a `RENAME … TO`.
pub fn new_name(statement: &Statement<'_>, action: &Action) -> Option<String> {
    let mut tokens = statement.part(action.span);
    tokens.skip_to_any(&["to"]);
    tokens.next();
    tokens.eat_name().map(|(name, _)| name.object().to_owned())
}

/// Returns true if PostgreSQL gives a table's primary key this name.
pub fn is_of_key(table: &Name, name: &Name) -> bool {
    name.object().strip_prefix(table.object()) == Some("_pkey")
}
