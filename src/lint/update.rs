//! Whether an `UPDATE` that runs twice changes anything the second time.

use super::condition::excludes_itself;
use super::settle::settles;
use super::shape::items;
use super::statement::Statement;
use crate::sql::{Dialect, Name, Span, TokenKind, Tokens, Verb};

/// One `column = expression` of an `UPDATE`.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The column.
    pub column: String,
    /// Where the expression stands.
    pub value: Span,
}

/// The parts of an `UPDATE`.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// What it assigns.
    pub assignments: Vec<Assignment>,
    /// What stands behind `WHERE`.
    pub condition: Option<Span>,
}

/// Reads an `UPDATE`.
pub fn read(statement: &Statement<'_>) -> Update {
    let mut tokens = statement.tokens_behind_name();
    if !tokens.skip_to_any(&["set"]) {
        return Update::default();
    }
    tokens.next();
    read_behind_set(statement, tokens, &["from", "where", "returning"])
}

/// Reads the `DO UPDATE` of an `INSERT`, or the `UPDATE`s of a `MERGE`.
pub fn read_parts(statement: &Statement<'_>) -> Vec<Update> {
    let mut found = Vec::new();
    let mut tokens = statement.tokens_behind_name();
    let is_merge = statement.head.verb == Verb::Merge;
    let mut condition = None;
    while tokens.skip_to_any(&["update", "matched"]) {
        // `WHEN MATCHED AND … THEN UPDATE`.
        if tokens.eat_word("matched") {
            condition = tokens.eat_word("and").then(|| {
                let start = tokens.start();
                tokens.skip_to_any(&["then"]);
                Span::new(start, tokens.end())
            });
            continue;
        }
        tokens.next();
        if tokens.eat_word("set") {
            let ends = ["from", "where", "returning", "when"];
            // The next branch of a MERGE; elsewhere a WHEN is a CASE's.
            let ends = if is_merge { &ends[..] } else { &ends[..3] };
            let read = read_behind_set(statement, tokens, ends);
            found.push(Update { condition: read.condition.or(condition.filter(|_| is_merge)), ..read });
        }
    }
    found
}

fn read_behind_set(statement: &Statement<'_>, mut tokens: Tokens<'_>, ends: &[&str]) -> Update {
    let mut update = Update::default();
    let start = tokens.end();
    tokens.skip_to_any(ends);
    let list = Span::new(start.saturating_sub(1), tokens.end() + 1);
    for item in items(statement.text, list, statement.dialect) {
        let mut part = statement.part(item);
        let names = if part.at(TokenKind::OpenParen) {
            super::shape::columns(&mut part).unwrap_or_default()
        } else {
            part.eat_name().map(|(name, _)| name.object().to_owned()).into_iter().collect()
        };
        part.next();
        let value = Span::new(part.start(), item.end);
        update.assignments.extend(names.into_iter().map(|column| Assignment { column, value }));
    }
    if !tokens.at_word("when") && tokens.skip_to_any(&["where"]) {
        tokens.next();
        let start = tokens.start();
        tokens.skip_to_any(&["returning"]);
        update.condition = Some(Span::new(start, tokens.end()));
    }
    update
}

/// Functions that give another value each time.
const VOLATILE: &[&str] = &[
    "random",
    "gen_random_uuid",
    "uuid_generate_v4",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "randomblob",
    "nextval",
    "clock_timestamp",
    "timeofday",
    "now",
    "current_timestamp",
    "localtimestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "current_time",
    "localtime",
];

/// Why running it again would change rows; `None` if it would not, or nobody can tell.
pub fn moves_on(statement: &Statement<'_>, update: &Update) -> Option<String> {
    let mut conditions = update.condition.into_iter().chain(joined_conditions(statement));
    if conditions.any(|condition| excludes_itself(statement, update, condition)) {
        return None;
    }
    for assignment in &update.assignments {
        let tokens = statement.part(assignment.value);
        if is_volatile(tokens) {
            return Some(format!("`{}` gets another value on each run", assignment.column));
        }
        let own = mentions(statement, assignment.value, &assignment.column);
        if adds_what_it_empties(statement, update, assignment) {
            continue;
        }
        if !own.is_empty() && !settles(statement, assignment, &own) {
            return Some(format!("`{}` is computed from itself, so each run moves it on", assignment.column));
        }
        if own.is_empty() && counts_on_own(statement, assignment) {
            return Some(format!("`{}` counts on from what a query of the same table finds", assignment.column));
        }
        if let Some(swapped) = reads_assigned(statement, update, assignment) {
            return Some(format!(
                "`{}` is computed from `{swapped}`, which the same statement changes",
                assignment.column
            ));
        }
    }
    None
}

/// The conditions of the queries of the same table that say which rows are updated: `WITH x AS (SELECT id FROM t WHERE …)
/// UPDATE t … FROM x`, `UPDATE t … FROM (SELECT … FROM t WHERE …) x`.
fn joined_conditions(statement: &Statement<'_>) -> Vec<Span> {
    let mut found = Vec::new();
    if statement.head.verb != Verb::Update {
        return found;
    }
    let mut tokens = statement.tokens();
    while tokens.peek().is_some() {
        let Some(query) = tokens.eat_parens() else {
            tokens.next();
            continue;
        };
        let mut inner = statement.part(Span::new(query.start + 1, query.end.saturating_sub(1).max(query.start + 1)));
        let reads_own = |read: &Name| statement.head.name.as_ref().is_some_and(|table| table.matches(read));
        if inner.at_word("select")
            && super::insert::read_tables(inner).iter().any(reads_own)
            && inner.skip_past("where")
        {
            let start = inner.start();
            inner.skip_to_any(&["group", "order", "limit", "for"]);
            found.push(Span::new(start, inner.end()));
        }
    }
    found
}

/// `SET a = a + b, b = 0`: nothing is left to be added the next time.
fn adds_what_it_empties(statement: &Statement<'_>, update: &Update, assignment: &Assignment) -> bool {
    let text = statement.text;
    let mut value = statement.part(assignment.value);
    if value.eat_name().is_none_or(|(name, _)| name.object() != assignment.column) {
        return false;
    }
    let nothing = match value.next().map_or("", |token| token.text(text)) {
        "+" | "-" => "0",
        "*" | "/" => "1",
        "||" => "''",
        _ => return false,
    };
    let mut otherwise = None;
    if value.eat_any(&["coalesce", "ifnull"]).is_some() {
        let Some(list) = value.eat_parens() else { return false };
        let [column, default] = items(text, list, statement.dialect)[..] else { return false };
        otherwise = Some(default.text(text).trim()).filter(|_| value.peek().is_none());
        value = statement.part(column);
    }
    let Some((column, _)) = value.eat_name().filter(|_| value.peek().is_none()) else { return false };
    update.assignments.iter().filter(|other| other.column == column.object()).any(|other| {
        let set = other.value.text(text).trim();
        set == nothing || set.eq_ignore_ascii_case("null") && otherwise == Some(nothing)
    })
}

/// `SET n = s.top + 1 FROM (SELECT max(n) AS top FROM same) s`.
fn counts_on_own(statement: &Statement<'_>, assignment: &Assignment) -> bool {
    let text = statement.text;
    let adds = statement
        .part(assignment.value)
        .any(|token| token.kind == TokenKind::Operator && ["+", "-", "*", "||"].contains(&token.text(text)));
    let mut from = statement.part(Span::new(assignment.value.end, statement.span.end));
    if !adds || !from.skip_past("from") {
        return false;
    }
    let Some(query) = from.eat_parens() else { return false };
    let reads_own = super::insert::read_tables(statement.part(query))
        .iter()
        .any(|read| statement.head.name.as_ref().is_some_and(|table| table.matches(read)));
    let mut query = statement.part(Span::new(query.start + 1, query.end));
    query.eat_word("select");
    let mut list = query.take_while(|token| !token.is_word(text, "from"));
    reads_own && list.any(|token| token.is_word(text, &assignment.column))
}

/// Whether an expression gives another value each time.
pub fn is_volatile(tokens: Tokens<'_>) -> bool {
    let text = tokens.text();
    let mut tokens = tokens;
    while let Some(token) = tokens.next() {
        let is_function = tokens.at(TokenKind::OpenParen);
        let bare = ["current_timestamp", "localtimestamp", "current_time", "localtime"];
        let word = bare.iter().any(|word| token.is_word(text, word));
        if word || is_function && VOLATILE.iter().any(|word| token.is_word(text, word)) {
            return true;
        }
        let strftime_now = ["strftime", "datetime", "date", "unixepoch", "julianday"];
        if is_function && strftime_now.iter().any(|word| token.is_word(text, word)) {
            let mut arguments = tokens;
            let inside = arguments.eat_parens().map(|span| span.text(text).to_ascii_lowercase());
            if inside.is_some_and(|inside| inside.contains("'now'") || inside == "()") {
                return true;
            }
        }
    }
    false
}

/// Whether one of the values in a row, with its parentheses, is another one each time.
pub fn is_volatile_inside(row: Tokens<'_>) -> bool {
    let (text, dialect) = (row.text(), row.dialect());
    let mut row = row;
    let Some(list) = row.eat_parens() else { return false };
    items(text, list, dialect).into_iter().any(|value| is_volatile(Tokens::new(text, value, dialect)))
}

/// Whether an expression counts on from what is there: `max(id) + 1`, `lastval()`.
pub fn counts_on(mut tokens: Tokens<'_>) -> bool {
    tokens.has_any(&["max", "count", "lastval", "currval", "last_insert_rowid"]) || {
        // Inside a query of its own as well.
        let text = tokens.text();
        let words = ["max", "count"];
        tokens.has_word("select") && tokens.any(|token| words.iter().any(|word| token.is_word(text, word)))
    }
}

/// Whether an expression, assigned to a column, gives the same on a second run.
pub fn rests(statement: &Statement<'_>, value: Span, column: &str) -> bool {
    let assignment = Assignment { column: column.to_owned(), value };
    let own = mentions(statement, value, column);
    let reads_nothing = reads_nothing(statement, value);
    let knowable = !is_volatile(statement.part(value)) && !statement.part(value).has_word("select");
    knowable && (reads_nothing || !own.is_empty() && settles(statement, &assignment, &own))
}

/// Whether an expression is made of literals, and of SQLite's own functions of them.
pub fn reads_nothing(statement: &Statement<'_>, value: Span) -> bool {
    let mut tokens = statement.part(value);
    while let Some(token) = tokens.next() {
        let is_function = statement.dialect == Dialect::Sqlite && tokens.at(TokenKind::OpenParen);
        if token.kind.is_identifier() && !is_function && !is_constant(token.text(statement.text)) {
            return false;
        }
    }
    true
}

fn is_constant(word: &str) -> bool {
    ["null", "true", "false"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Whether a qualifier is the statement's own table.
pub(super) fn is_own(statement: &Statement<'_>, qualifier: &str) -> bool {
    let mut alias = statement.tokens_behind_name();
    alias.eat_word("as");
    let alias = if alias.at_any(&["set", "using"]) { None } else { alias.eat_name().map(|(name, _)| name) };
    let named = alias.as_ref().is_some_and(|alias| alias.object() == qualifier);
    named || statement.head.name.as_ref().is_some_and(|table| table.object() == qualifier)
}

/// Where an expression reads a column. Another table's column of that name is none.
pub(super) fn mentions(statement: &Statement<'_>, value: Span, column: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut tokens = statement.part(value);
    while tokens.peek().is_some() {
        let Some((name, span)) = tokens.eat_name() else {
            tokens.next();
            continue;
        };
        if name.object() == column
            && name.schema().is_none_or(|qualifier| is_own(statement, qualifier))
            && !tokens.at(TokenKind::OpenParen)
        {
            found.push(span);
        }
    }
    found
}

/// Returns another assigned column that the expression reads.
fn reads_assigned<'u>(statement: &Statement<'_>, update: &'u Update, assignment: &Assignment) -> Option<&'u str> {
    let mut tokens = statement.part(assignment.value);
    if tokens.has_word("select") {
        return None;
    }
    while tokens.peek().is_some() {
        let Some((name, _)) = tokens.eat_name() else {
            tokens.next();
            continue;
        };
        // Another table's column of that name, or what was to be inserted, stays what it is.
        if name.schema().is_some_and(|qualifier| !is_own(statement, qualifier)) {
            continue;
        }
        let function = tokens.at(TokenKind::OpenParen);
        let other = update
            .assignments
            .iter()
            .find(|other| other.column != assignment.column && other.column == name.object() && !function);
        // Of a document another key is read than is set.
        let reads_key = |other: &&Assignment| {
            let own = mentions(statement, assignment.value, &other.column);
            super::document::reads_another_key(statement, assignment.value, &own)
        };
        if let Some(other) = other.filter(|other| !reads_key(other)) {
            return Some(&other.column);
        }
    }
    None
}
