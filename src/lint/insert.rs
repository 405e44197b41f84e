//! The parts of an `INSERT`, found by tokens.

use super::shape::items;
use super::statement::Statement;
use crate::sql::{Dialect, Span, TokenKind, Tokens};

/// The parts of an `INSERT`.
#[derive(Debug, Clone, Default)]
pub struct Insert {
    /// The columns that it names; `None` if it names none.
    pub columns: Option<Vec<String>>,
    /// The columns as written, without the parentheses.
    pub columns_span: Option<Span>,
    /// The rows of `VALUES`, each with its parentheses; empty for a query.
    pub rows: Vec<Span>,
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
    let all = statement.tokens();
    insert.asks = all.has_words(&["not", "exists"])
        || all.has_words(&["not", "in"])
        || all.has_any(&["except"])
        || all.has_word("join") && all.has_words(&["is", "null"]);
    insert
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
            tokens.skip_to_any(&["do"]);
            tokens.next();
            let updates = tokens.at_word("update");
            insert.conflict = Some(Conflict { span: Span::new(start, tokens.end()), has_target, updates });
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
    let plain = matches!(token.kind, TokenKind::String | TokenKind::Number)
        || token.is_word(text, "true")
        || token.is_word(text, "false");
    plain && tokens.peek().is_none()
}
