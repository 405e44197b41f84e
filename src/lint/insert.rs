//! The parts of an `INSERT`, found by tokens.

use super::shape::{PartialKey, Shape, items};
use super::statement::Statement;
use crate::sql::{Dialect, Name, Span, TokenKind, Tokens};

/// The parts of an `INSERT`.
#[derive(Debug, Clone, Default)]
pub struct Insert {
    /// The columns that it names; `None` if it names none.
    pub columns: Option<Vec<String>>,
    /// The columns as written, without the parentheses.
    pub columns_span: Option<Span>,
    /// The rows of `VALUES`, each with its parentheses; empty for a query.
    pub rows: Vec<Span>,
    /// True if the query stands in parentheses.
    pub in_parens: bool,
    /// The word `VALUES`.
    pub values_span: Option<Span>,
    /// `ON CONFLICT`, up to its action.
    pub conflict: Option<Conflict>,
    /// Where the rows or the query end: in front of `ON CONFLICT` and `RETURNING`.
    pub body_end: usize,
    /// True if it says `ON DUPLICATE KEY` or `DEFAULT VALUES`, or is otherwise not for these rules.
    pub is_strange: bool,
    /// True if something in it asks whether the row is there.
    pub asks: bool,
    /// The tables that a `NOT EXISTS` asks instead of the one that is filled.
    pub asks_elsewhere: Vec<Name>,
    /// What a query gives, by position, if its list is plain.
    pub selected: Vec<Span>,
    /// True if a query in it counts the rows of the table that is filled.
    pub counts_own: bool,
    /// True if the query has a WHERE, GROUP BY or the like at its own level.
    pub has_clause: bool,
}

/// An `ON CONFLICT` clause.
#[derive(Debug, Clone, Default)]
pub struct Conflict {
    /// Where it stands.
    pub span: Span,
    /// Whether it names what may conflict.
    pub has_target: bool,
    /// The columns that it names, if it names columns only.
    pub columns: Option<Vec<String>>,
    /// Whether it updates.
    pub updates: bool,
}

/// Reads an `INSERT`.
pub fn read(statement: &Statement<'_>) -> Insert {
    let mut tokens = statement.tokens_behind_name();
    let mut insert = Insert { body_end: statement.span.end, ..Insert::default() };
    if tokens.eat_word("as") {
        tokens.next();
    }
    if tokens.at(TokenKind::OpenParen) && !opens_query(tokens) {
        read_columns(&mut tokens, &mut insert);
    }
    if tokens.eat_words(&["overriding"]) {
        tokens.next();
        tokens.eat_word("value");
    }
    insert.is_strange = tokens.at_word("default");
    insert.in_parens = tokens.at(TokenKind::OpenParen);
    let start = tokens.start();
    if tokens.eat_word("values") {
        insert.values_span = Some(Span::new(start, tokens.end()));
        while let Some(row) = tokens.eat_parens() {
            insert.rows.push(row);
            tokens.eat(TokenKind::Comma);
        }
    }
    insert.body_end = tokens.end();
    read_tail(tokens, &mut insert);
    insert.selected = selected(statement, insert.values_span.is_some());
    let reads_own = |table: &Name| read_tables(statement.tokens()).iter().any(|read| read.matches(table));
    let mut all = statement.tokens();
    let aggregates = all.any(|token| token.is_word(statement.text, "max") || token.is_word(statement.text, "count"));
    insert.counts_own = aggregates && statement.head.name.as_ref().is_some_and(reads_own);
    ask(statement, &mut insert);
    insert
}

/// The list of the query, up to its FROM.
fn selected(statement: &Statement<'_>, has_values: bool) -> Vec<Span> {
    let mut tokens = statement.tokens_behind_name();
    if tokens.at(TokenKind::OpenParen) && !opens_query(tokens) {
        tokens.eat_parens();
    }
    if has_values || !tokens.skip_to_any(&["select"]) || tokens.has_any(&["union", "intersect"]) {
        return Vec::new();
    }
    tokens.next();
    tokens.eat_any(&["distinct", "all"]);
    let start = tokens.start();
    tokens.skip_to_any(&["from", "where", "group", "order", "limit", "on", "returning"]);
    // One byte on either side stands for the parentheses of a list.
    items(statement.text, Span::new(start.saturating_sub(1), tokens.end() + 1), statement.dialect)
}

/// Whether a test in it is about the rows that it inserts.
fn ask(statement: &Statement<'_>, insert: &mut Insert) {
    let Some(table) = statement.head.name.as_ref() else { return };
    let behind = || {
        let mut tokens = statement.tokens_behind_name();
        tokens.eat_parens();
        tokens
    };
    // What a WITH in front selects counts as well.
    let all = statement.tokens();
    let reads_own = || read_tables(all).iter().filter(|read| read.matches(table)).count() > 0;
    let counts_none = {
        let mut tokens = all;
        std::iter::from_fn(|| {
            tokens.skip_past("where").then(|| tokens.eat_parens()).flatten().map(|query| (query, tokens))
        })
        .any(|(query, mut behind)| {
            let own = read_tables(statement.part(query)).iter().any(|read| read.matches(table));
            let none = behind.eat_operator("=") && behind.next().is_some_and(|zero| zero.text(statement.text) == "0");
            own && none && statement.part(query).any(|token| token.is_word(statement.text, "count"))
        })
    };
    let joins = all.has_word("join") && all.has_words(&["is", "null"]) && reads_own();
    if joins || counts_none || all.has_word("except") && reads_own() {
        insert.asks = true;
        return;
    }
    for words in [&["not", "exists"][..], &["not", "in"][..]] {
        let mut tokens = if all.at_word("with") { all } else { behind() };
        while tokens.peek().is_some() {
            if !tokens.eat_words(words) {
                tokens.next();
                continue;
            }
            let mut inside = tokens;
            let Some(query) = inside.eat_parens() else { continue };
            let query = statement.part(query);
            let asked = read_tables(query);
            if asked.is_empty() {
                continue;
            }
            if asked.iter().any(|asked| asked.matches(table)) {
                insert.asks |= !asks_for_another(statement, insert, query) && !is_aggregate(statement, insert);
            } else {
                insert.asks_elsewhere.extend(asked);
            }
        }
    }
}

/// `SELECT max(n) + 1 FROM t WHERE …`: it gives a row, whatever the WHERE says.
fn is_aggregate(statement: &Statement<'_>, insert: &Insert) -> bool {
    let functions = ["max", "min", "count", "sum", "avg", "total", "group_concat", "string_agg", "array_agg"];
    let mut tokens = insert.selected.iter().flat_map(|value| {
        let mut value = statement.part(*value);
        std::iter::from_fn(move || {
            // A query of its own is another one.
            let mut inside = value;
            if inside.eat(TokenKind::OpenParen) && inside.at_word("select") {
                value.eat_parens();
            }
            let token = value.next()?;
            Some((token, value.at(TokenKind::OpenParen)))
        })
    });
    let calls =
        tokens.any(|(token, is_call)| is_call && functions.iter().any(|word| token.is_word(statement.text, word)));
    calls && !statement.tokens().has_any(&["group", "having", "over"])
}

/// The names behind FROM and JOIN.
pub fn read_tables(mut tokens: Tokens<'_>) -> Vec<Name> {
    let mut found = Vec::new();
    while tokens.peek().is_some() {
        if tokens.eat_any(&["from", "join"]).is_some() {
            tokens.eat_any(&["only", "lateral"]);
            found.extend(tokens.eat_name().map(|(name, _)| name));
        } else {
            tokens.next();
        }
    }
    found
}

/// `SELECT 'a' … WHERE NOT EXISTS (… WHERE column = 'b')`: the query asks for another row than is inserted.
pub fn asks_for_another(statement: &Statement<'_>, insert: &Insert, mut query: Tokens<'_>) -> bool {
    let text = statement.text;
    let columns = insert.columns.as_deref().unwrap_or_default();
    let literal = |given: &Span| is_literal(text, *given, statement.dialect);
    let rows: Vec<Vec<Span>> = if insert.rows.is_empty() {
        vec![insert.selected.clone()]
    } else {
        insert.rows.iter().map(|row| items(text, *row, statement.dialect)).collect()
    };
    let by_name = rows.iter().all(|row| row.len() == columns.len());
    // Without names each value may be the one that is asked for.
    let by_value = columns.is_empty() && rows.iter().all(|row| !row.is_empty() && row.iter().all(literal));
    if !query.skip_past("where") || !by_name && !by_value || query.has_any(&["or", "not", "in"]) {
        return false;
    }
    while query.peek().is_some() {
        let Some((name, _)) = query.eat_name() else {
            query.next();
            continue;
        };
        if !query.eat_operator("=") {
            continue;
        }
        let Some(asked) =
            query.peek().filter(|token| token.kind == TokenKind::String || token.kind == TokenKind::Number)
        else {
            continue;
        };
        let asked = asked.text(query.text());
        let is_asked = |given: &Span| given.text(text).trim() == asked;
        if by_value && !rows.iter().flatten().any(is_asked) {
            return true;
        }
        let Some(at) = columns.iter().position(|column| column == name.object()) else { continue };
        let mut given = rows.iter().filter_map(|row| row.get(at)).peekable();
        if given.peek().is_some() && given.all(|given| literal(given) && !is_asked(given)) {
            return true;
        }
    }
    false
}

/// What an `INSERT` gives for a column, one value a row; nothing if that is not known.
pub fn values_of(text: &str, dialect: Dialect, insert: &Insert, at: usize) -> Vec<Span> {
    if insert.rows.is_empty() {
        return insert.selected.get(at).copied().into_iter().collect();
    }
    let value = |row: &Span| items(text, *row, dialect).get(at).copied();
    insert.rows.iter().filter_map(value).collect()
}

/// Returns true if a row brings for a key what conflicts with nothing.
pub fn escapes(text: &str, dialect: Dialect, insert: &Insert, shape: &Shape, key: &[String]) -> bool {
    let nulls_conflict = shape.null_keys.iter().any(|known| known == key);
    let is_null = |value: &Span| value.text(text).trim().eq_ignore_ascii_case("null");
    key.iter().any(|column| {
        let at = position(insert, shape, column);
        let values = at.map_or_else(Vec::new, |at| values_of(text, dialect, insert, at));
        is_new(text, dialect, insert, shape, column) && !(nulls_conflict && values.iter().all(is_null))
    })
}

/// Where a row has its value for a column.
fn position(insert: &Insert, shape: &Shape, column: &str) -> Option<usize> {
    match &insert.columns {
        Some(columns) => columns.iter().position(|known| known == column),
        None => shape.columns.iter().position(|known| known.name == column),
    }
}

/// Returns true if a row brings NULL for a column, which conflicts with nothing, or a value that is another one each time.
pub fn is_new(text: &str, dialect: Dialect, insert: &Insert, shape: &Shape, column: &str) -> bool {
    let Some(at) = position(insert, shape, column) else { return false };
    values_of(text, dialect, insert, at).into_iter().any(|value| {
        let tokens = Tokens::new(text, value, dialect);
        let is_null = value.text(text).trim().eq_ignore_ascii_case("null");
        let mut all = tokens;
        let adds = insert.counts_own && all.any(|token| token.text(text) == "+");
        is_null || adds || super::update::is_volatile(tokens) || super::update::counts_on(tokens)
    })
}

/// Whether rows are in a partial index, as far as their values tell: some may be, or none is.
pub fn reaches(text: &str, dialect: Dialect, insert: &Insert, shape: &Shape, key: &PartialKey) -> bool {
    let Some(at) = position(insert, shape, &key.column) else {
        // The row gets the column's default, or NULL.
        let default = shape.column_named(&key.column).is_none_or(|column| column.definition.contains("default"));
        return default || key.holds("null") == Some(true);
    };
    let values = values_of(text, dialect, insert, at);
    values.is_empty() || values.into_iter().any(|value| key.holds(value.text(text)) != Some(false))
}

fn opens_query(mut tokens: Tokens<'_>) -> bool {
    while tokens.eat(TokenKind::OpenParen) {}
    tokens.at_any(&["select", "with", "values"])
}

fn read_columns(tokens: &mut Tokens<'_>, insert: &mut Insert) {
    let Some(list) = tokens.eat_parens() else { return };
    let text = tokens.text();
    let read = |item: Span| {
        let name = Tokens::new(text, item, tokens.dialect()).eat_name()?.0;
        name.parts().first().cloned()
    };
    insert.columns = items(text, list, tokens.dialect()).into_iter().map(read).collect();
    insert.columns_span = Some(Span::new(list.start + 1, list.end.saturating_sub(1)));
}

fn read_tail(mut tokens: Tokens<'_>, insert: &mut Insert) {
    let words = ["where", "group", "order", "limit", "having", "union", "on", "returning"];
    let mut end = insert.body_end;
    while tokens.skip_to_any(&words) {
        let start = tokens.start();
        let before = tokens.end();
        if tokens.eat_words(&["on", "conflict"]) {
            insert.body_end = before;
            let has_target = !tokens.at_word("do");
            let mut target = tokens;
            let columns = super::shape::columns(&mut target).filter(|_| target.at_any(&["do", "where"]));
            tokens.skip_to_any(&["do"]);
            tokens.next();
            let updates = tokens.at_word("update");
            insert.conflict = Some(Conflict { span: Span::new(start, tokens.end()), has_target, columns, updates });
            return;
        }
        if tokens.at_word("returning") {
            insert.body_end = before;
            return;
        }
        insert.has_clause |= !tokens.at_word("on");
        tokens.next();
        end = tokens.end();
    }
    insert.body_end = tokens.end().max(end);
}

/// Returns true if a value is a literal that can be compared with a column.
pub fn is_literal(text: &str, span: Span, dialect: Dialect) -> bool {
    let mut tokens = Tokens::new(text, span, dialect);
    tokens.eat_operator("-");
    let Some(token) = tokens.next() else { return false };
    if dialect == Dialect::Postgres && token.kind.is_string() && tokens.eat_operator("::") {
        tokens.eat_name();
    }
    let plain = matches!(token.kind, TokenKind::String | TokenKind::Number)
        || token.is_word(text, "true")
        || token.is_word(text, "false");
    plain && tokens.peek().is_none()
}
