//! What functions and triggers that the scripts make do when they run once more.
//!
//! Their bodies are read as scripts are. A body that compares, or whose writes are guarded, is taken for one that
//! changes nothing the second time.

use super::context::Context;
use super::facts::dropped;
use super::insert;
use super::statement::{Guarding, Statement, statements};
use super::update::{self, Update};
use crate::sql::{Dialect, Kind, Lexed, Name, Span, Token, TokenKind, Tokens, Verb};

/// What makes a trigger run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Rows are inserted.
    Insert,
    /// Rows are offered that are there already: what runs before an insert runs.
    Offer,
    /// Rows are updated.
    Update,
}

impl Event {
    const fn word(self) -> &'static str {
        match self {
            Self::Insert | Self::Offer => "insert",
            Self::Update => "update",
        }
    }
}

/// Returns a trigger that writes each time an `UPDATE` of these rows, or an insert, is run again.
pub fn fired(context: &Context<'_>, statement: &Statement<'_>, event: Event, update: &Update) -> Option<String> {
    let table = statement.head.name.as_ref()?;
    // A second run meets what this one leaves, but for what it drops in front.
    let moment = (context.source + 1, 0);
    let gone = |name: &str| {
        context.before(statement).any(|other| {
            let is_trigger = other.head.verb == Verb::Drop && other.head.kind == Some(Kind::Trigger);
            is_trigger && dropped(other).iter().any(|dropped| dropped.object() == name)
        })
    };
    let on_table = context.history.on_table(table, moment).into_iter().filter(|(kind, _)| *kind == Kind::Trigger);
    let mut names = on_table.map(|(_, name)| name);
    names.find(|name| {
        !gone(name) && {
            let definition = context.history.other(Kind::Trigger, &Name::new([name.as_str()]), moment);
            definition.is_some_and(|definition| writes(context, definition, event, update).unwrap_or_default())
        }
    })
}

/// Whether a trigger, as one line of tokens behind its name, writes when this happens; `None` where it is not read.
fn writes(context: &Context<'_>, definition: &str, event: Event, update: &Update) -> Option<bool> {
    let tokens = Tokens::of(definition, context.dialect);
    let is = |token: &Token, word: &str| token.is_word(definition, word);
    let mut events = tokens;
    let before = events.at_word("before");
    let head: Vec<Token> = events.by_ref().take_while(|token| !is(token, "on")).collect();
    let at = head.iter().position(|token| is(token, event.word()))?;
    if event == Event::Offer && !before {
        return Some(false);
    }
    // `UPDATE OF a, b`: other columns do not fire it.
    if head.get(at + 1).is_some_and(|token| is(token, "of")) {
        let columns = head[at + 2..].iter().take_while(|token| !is(token, "or")).map(|token| token.text(definition));
        let columns: Vec<&str> = columns.map(|column| column.trim_matches('"')).collect();
        let assigned = |column: &str| update.assignments.iter().any(|assignment| assignment.column == column);
        if !columns.into_iter().any(assigned) {
            return Some(false);
        }
    }
    if context.dialect == Dialect::Sqlite {
        let mut body = events;
        let condition: Vec<Token> = body.by_ref().take_while(|token| !is(token, "begin")).collect();
        let compares = condition.iter().any(|token| is(token, "when"));
        let text = definition.get(body.start()..)?.trim_end().strip_suffix("end")?;
        return Some(!compares && repeats(text, Dialect::Sqlite));
    }
    let mut condition = events;
    if condition.skip_past("when") && condition.eat_parens().is_some_and(|span| compares(span.text(definition))) {
        return Some(false);
    }
    let mut tokens = events;
    let function = (tokens.skip_past("function") || {
        tokens = events;
        tokens.skip_past("procedure")
    })
    .then(|| tokens.eat_name())
    .flatten()?
    .0;
    let made = context.history.other(Kind::Function, &function, (context.source + 1, 0))?;
    let body = body(made)?;
    if compares(body) {
        return Some(false);
    }
    // `IF TG_OP = 'DELETE'`: one function for several events.
    let asks_for = |word: &str| body.to_ascii_lowercase().contains(&format!("'{word}'"));
    let of_event = asks_for(event.word()) || !["insert", "update", "delete"].iter().any(|word| asks_for(word));
    let block = format!("do $dbbuild_body${body}$dbbuild_body$;");
    Some(of_event && (repeats(&block, Dialect::Postgres) || event == Event::Update && before && renews(body)))
}

/// Returns true if what a function of the scripts does is done again by a second call.
pub fn does_again(context: &Context<'_>, statement: &Statement<'_>, name: &Name) -> bool {
    let kinds = [Kind::Function, Kind::Procedure];
    let moment = (context.source, statement.span.end);
    let made = kinds.iter().find_map(|kind| context.history.other(*kind, name, moment));
    let Some((made, body)) = made.and_then(|made| Some((made, body(made)?))) else { return false };
    let is_sql = Tokens::of(made, Dialect::Postgres).has_words(&["language", "sql"]);
    let block = || format!("do $dbbuild_body${body}$dbbuild_body$;");
    !compares(body) && if is_sql { repeats(body, Dialect::Postgres) } else { repeats(&block(), Dialect::Postgres) }
}

/// The text between the quotes of a routine's definition.
fn body(definition: &str) -> Option<&str> {
    let mut tokens = Tokens::of(definition, Dialect::Postgres);
    tokens.skip_past("as");
    let token = tokens.find(|token| token.kind.is_string())?;
    let written = token.text(definition);
    let quote = match token.kind {
        TokenKind::DollarString => written.get(1..)?.find('$')? + 2,
        _ if written.contains("''") => return None,
        _ => 1,
    };
    written.get(quote..written.len().checked_sub(quote)?)
}

/// Whether a body asks for what is different now.
fn compares(body: &str) -> bool {
    let body = body.to_ascii_lowercase();
    ["distinct from", "<>", "!=", " not in ", "not exists", "is null"].iter().any(|words| body.contains(words))
}

/// Whether a script of its own, run again, inserts or moves on.
fn repeats(text: &str, dialect: Dialect) -> bool {
    let by_event = |guard: &Guarding| match guard {
        Guarding::Condition(span) | Guarding::Unless(span) => span.text(text).to_ascii_lowercase().contains("tg_op"),
        Guarding::Opaque => text.to_ascii_lowercase().contains("tg_op"),
        Guarding::Directive(_) | Guarding::Caught(_) => false,
    };
    statements(&Lexed::of(text, dialect)).iter().filter(|statement| statement.guards.iter().all(by_event)).any(
        |statement| match statement.head.verb {
            Verb::Insert => {
                let insert = insert::read(statement);
                let safe =
                    insert.conflict.is_some() || insert.asks || statement.head.or_ignore || statement.head.or_replace;
                !safe && !statement.head.temporary
            }
            Verb::Update => update::moves_on(statement, &update::read(statement)).is_some(),
            Verb::Create => {
                let safe = statement.head.is_guarded() || statement.head.temporary || statement.head.or_replace;
                !safe && statement.head.kind == Some(Kind::Table)
            }
            _ => false,
        },
    )
}

/// `NEW.updated_at := now()`, `NEW.version := OLD.version + 1`.
fn renews(body: &str) -> bool {
    let mut tokens = Tokens::of(body, Dialect::Postgres);
    while tokens.peek().is_some() {
        if !tokens.eat_word("new") {
            tokens.next();
            continue;
        }
        tokens.next();
        tokens.next();
        if !(tokens.eat_operator(":=") || tokens.eat_operator("=")) {
            // The lexer may give the two signs apart.
            let colon = tokens.peek().is_some_and(|token| token.text(body) == ":");
            if !colon {
                continue;
            }
            tokens.next();
            tokens.next();
        }
        let start = tokens.start();
        while tokens.peek().is_some_and(|token| token.kind != TokenKind::Semicolon) {
            tokens.next();
        }
        let value = Tokens::new(body, Span::new(start, tokens.end().max(start)), Dialect::Postgres);
        let is = |token: Token, words: &[&str]| words.contains(&token.text(body).to_ascii_lowercase().as_str());
        let mut all = value;
        let counts = all.any(|token| is(token, &["+", "-", "*", "||"]));
        let mut all = value;
        if update::is_volatile(value) || counts && all.any(|token| is(token, &["old"])) {
            return true;
        }
    }
    false
}
