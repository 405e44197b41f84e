//! Where a semicolon does not end a statement: parentheses, `BEGIN ATOMIC`
//! bodies (PostgreSQL) and trigger bodies (SQLite).
//!
//! `END` closes a body only right behind a semicolon (or an empty body's start):
//! every statement in a body ends with one, while the `END` of a `CASE`, a
//! column called `end` or a label `AS end` never follows one. So no expression
//! has to be understood.

use super::{Dialect, Token, TokenKind};

/// What a statement has shown so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body {
    dialect: Dialect,
    state: State,
    parens: u32,
    /// The token before was a semicolon inside the body, or began the body.
    fresh: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No token yet.
    Start,
    /// Behind SQLite's `EXPLAIN`.
    Explain,
    /// Behind `CREATE` and words such as `OR REPLACE` or `TEMP`.
    Create,
    /// In a `CREATE FUNCTION` or `PROCEDURE` (PostgreSQL).
    Routine,
    /// Behind a routine's `BEGIN`: a body if `ATOMIC` follows.
    RoutineBegin,
    /// In a `CREATE TRIGGER` (SQLite).
    Trigger,
    /// Inside the body.
    Open,
    /// A statement without a body, or behind its body.
    Plain,
}

impl Body {
    pub(super) const fn new(dialect: Dialect) -> Self {
        Self { dialect, state: State::Start, parens: 0, fresh: false }
    }

    /// Whether a semicolon here would end the statement.
    pub(super) fn is_closed(&self) -> bool {
        self.state != State::Open && self.parens == 0
    }

    /// Takes notice of a significant token.
    #[inline]
    pub(super) fn see(&mut self, token: Token, text: &str) {
        // SQLite's grammar ends a statement at a semicolon in parentheses as well.
        if self.dialect == Dialect::Postgres {
            match token.kind {
                TokenKind::OpenParen => self.parens = self.parens.saturating_add(1),
                TokenKind::CloseParen => self.parens = self.parens.saturating_sub(1),
                _ => {}
            }
        }
        if self.state == State::Plain {
            return;
        }
        let fresh = std::mem::replace(&mut self.fresh, token.kind == TokenKind::Semicolon);
        self.state = self.after(token, text, fresh);
        self.fresh |= self.state == State::Open && fresh_start(self.dialect, token, text);
    }

    fn after(&self, token: Token, text: &str, fresh: bool) -> State {
        let is = |word: &str| token.is_word(text, word);
        let any = |words: &[&str]| words.iter().any(|word| is(word));
        match (self.state, self.dialect) {
            (State::Start | State::Explain, _) if is("create") => State::Create,
            (State::Start, Dialect::Sqlite) if is("explain") => State::Explain,
            (State::Explain, _) if any(&["query", "plan"]) => State::Explain,
            (State::Create, Dialect::Postgres) if any(&["or", "replace"]) => State::Create,
            (State::Create, Dialect::Postgres) if any(&["function", "procedure"]) => State::Routine,
            (State::Create, Dialect::Sqlite) if any(&["temp", "temporary"]) => State::Create,
            (State::Create, Dialect::Sqlite) if is("trigger") => State::Trigger,
            (State::Routine | State::RoutineBegin, _) if self.parens > 0 => State::Routine,
            (State::RoutineBegin, _) if is("atomic") => State::Open,
            (State::Routine | State::RoutineBegin, _) if is("begin") => State::RoutineBegin,
            (State::Routine | State::RoutineBegin, _) => State::Routine,
            (State::Trigger, _) if is("begin") => State::Open,
            (State::Trigger, _) => State::Trigger,
            (State::Open, _) if fresh && self.parens == 0 && is("end") => State::Plain,
            (State::Open, _) => State::Open,
            _ => State::Plain,
        }
    }
}

/// Whether this token begins a PostgreSQL body, which may be empty. A trigger's
/// may not: there `BEGIN` can also be a name, and `END` behind it a column.
fn fresh_start(dialect: Dialect, token: Token, text: &str) -> bool {
    dialect == Dialect::Postgres && token.is_word(text, "atomic")
}
