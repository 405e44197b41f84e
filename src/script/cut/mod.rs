//! From text to what runs: the script cut into statements, each with its guards and what must be known of it,
//! or everything that is wrong with it before anything runs.

mod judge;
mod read;

use std::time::Duration;

use super::{Checksum, Directive, Fault, Guard, Text, body};
use crate::sql::{self, Dialect, Lexer, Span, TokenKind};

/// A script, cut.
#[derive(Debug, Clone, Default)]
pub struct Cut {
    /// What to run, in order.
    pub parts: Vec<Part>,
    /// The guards that parts refer to.
    pub guards: Vec<PlacedGuard>,
    /// Run statement by statement, outside a transaction.
    pub no_transaction: bool,
    /// SQLite: foreign keys off around the transaction.
    pub foreign_keys_off: bool,
    /// SQLite: what stands in double quotes and is no name is text.
    pub double_quoted_text: bool,
    /// The script's own limit for waiting on a lock.
    pub lock_timeout: Option<Duration>,
    /// The script's own limit for a statement.
    pub statement_timeout: Option<Duration>,
    /// Code files that run before this one.
    pub after: Vec<String>,
    /// Code objects that are away while the script runs.
    pub suspends: Vec<String>,
    /// False if the script holds what must not share a transaction with other scripts.
    pub fusible: bool,
    /// PostgreSQL: what the script asks of its transaction in its first statements.
    pub isolation: Option<sql::Isolation>,
}

/// One statement, or one COPY with its data.
#[derive(Debug, Clone)]
pub struct Part {
    /// The statement in the text, without the `;`.
    pub span: Span,
    /// For `COPY … FROM stdin`: the lines of data, without the closing `\.`.
    pub copy_data: Option<Span>,
    /// Indexes into the guards; all must let it run.
    pub guards: Vec<usize>,
    /// True for a batch that runs until it changes no row.
    pub repeat: bool,
    /// True if the database refuses the statement inside a transaction.
    pub refuses_transaction: bool,
    /// True if the statement may end the transaction by itself (CALL, DO).
    pub may_commit: bool,
    /// True if the statement changes settings of the session, which a resumed script needs again.
    pub sets_session: bool,
    /// The digest of the statement's tokens: what a resumed script is compared by.
    pub digest: Checksum,
}

/// A guard and where it is written.
#[derive(Debug, Clone)]
pub struct PlacedGuard {
    /// The test.
    pub guard: Guard,
    /// The directive in the text.
    pub span: Span,
}

/// Cuts a script. `settings` are directives from `dbbuild.toml`, for scripts that must not be edited.
pub fn cut(text: &Text, dialect: Dialect, settings: &[Directive]) -> Result<Cut, Vec<Fault>> {
    let mut reader = Reader::new(text, dialect);
    for directive in settings {
        reader.about_the_file(directive.clone());
    }
    let statements = reader.read();
    reader.judge(&statements);
    if reader.faults.is_empty() { Ok(reader.cut) } else { Err(reader.faults) }
}

/// Returns the checksum over a text's tokens: directives included, other comments and white space not. Two texts
/// that differ only in those have the same one; what cannot be read as tokens counts as it is written.
pub fn token_checksum(text: &str, dialect: Dialect) -> Checksum {
    let tokens = Lexer::new(text, dialect).map_while(Result::ok).filter_map(|token| {
        let written = token.span.text(text);
        match token.kind {
            TokenKind::LineComment => body(written),
            kind if kind.is_trivia() => None,
            _ => Some(written),
        }
    });
    Checksum::of_tokens(tokens)
}

impl Cut {
    /// Makes a script that an earlier run left half-way go on statement by statement, as it began, also if its text
    /// does not ask for that any more: what is finished must not run again.
    pub fn go_on(&mut self, text: &Text, dialect: Dialect) -> Result<(), Fault> {
        if self.no_transaction {
            return Ok(());
        }
        if self.foreign_keys_off && dialect == Dialect::Sqlite {
            return Err(keys_without_transaction(text));
        }
        self.no_transaction = true;
        for part in &mut self.parts {
            part.digest = digest(text.as_str(), part.span, dialect);
        }
        Ok(())
    }
}

/// The fault of a script whose foreign keys would stay on without a word: rows would go that it means to keep.
fn keys_without_transaction(text: &Text) -> Fault {
    let place = text.place(Span::new(0, 0));
    let message = "`foreign-keys off` needs one transaction around the whole script, and this one runs without";
    Fault::new("script/foreign-keys-without-transaction", &place.file.clone(), message)
        .at(place)
        .hint("take `foreign-keys off` or `no-transaction` out; what is half-way without a transaction stays so")
}

/// Returns the digest of a statement's tokens.
fn digest(text: &str, span: Span, dialect: Dialect) -> Checksum {
    let tokens = Lexer::part(text, span, dialect).map_while(Result::ok);
    Checksum::of_tokens(tokens.filter(|token| !token.kind.is_trivia()).map(|token| token.span.text(text)))
}

/// Returns true if a text may hold directives: a quick look that spares most texts a lexer.
pub fn has_directives(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"dbbuild:").is_some()
}

/// Returns the directives in a text with their spans, without judging where they stand.
pub fn directives(text: &str, dialect: Dialect) -> Vec<(Span, &str)> {
    if !has_directives(text) {
        return Vec::new();
    }
    let comments = Lexer::new(text, dialect).map_while(Result::ok).filter(|token| token.kind == TokenKind::LineComment);
    comments.filter_map(|token| body(token.span.text(text)).map(|body| (token.span, body))).collect()
}

/// Makes a script of a text, and gathers what is wrong with it.
struct Reader<'a> {
    text: &'a Text,
    dialect: Dialect,
    cut: Cut,
    faults: Vec<Fault>,
    /// Guards, by index, that apply to the next statement only.
    next_guards: Vec<usize>,
    next_repeat: Option<Span>,
    group: Option<usize>,
    has_directives: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a Text, dialect: Dialect) -> Self {
        Self {
            text,
            dialect,
            cut: Cut { fusible: true, ..Cut::default() },
            faults: Vec::new(),
            next_guards: Vec::new(),
            next_repeat: None,
            group: None,
            has_directives: has_directives(text.as_str()),
        }
    }

    fn fault(&mut self, code: &'static str, span: Span, message: impl Into<String>, hint: Option<&str>) {
        let place = self.text.place(span);
        let mut fault = Fault::new(code, &place.file.clone(), message).at(place);
        fault.hint = hint.map(str::to_owned);
        self.faults.push(fault);
    }
}

/// Returns true for a statement that by its first word can only write rows: nothing more needs to be asked of it,
/// and seeds have a hundred thousand of them.
fn only_writes_rows(tokens: sql::Tokens<'_>) -> bool {
    tokens.at_any(&["insert", "update", "delete", "replace", "merge"])
}
