//! Why a unit did not get on, and where: from what the server says of the text it was sent to a place in the
//! unit's own text.

use super::error::{Spot, Trouble};
use super::journal::DIALECT;
use crate::engine::{EngineError, Mode, SqlFailure, Unit, UnitFailure};
use crate::sql::{ConcurrentIndex, Lexer, Span, Tokens, byte_of_char, concurrent_index};

/// How the detail begins that tells who was in the way.
const BLOCKED: &str = "blocked by ";

/// Why a unit did not get on.
#[derive(Debug)]
pub(super) enum Stop {
    /// The database would not run something; `span` is where, if that is known.
    Failed { failure: Box<SqlFailure>, span: Option<Span> },
    /// The connection is gone.
    Broken(String),
    /// Anything else.
    Engine(EngineError),
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl Stop {
    /// Reads trouble with a stretch of the unit's text. `statement` is the statement, if it was sent alone.
    pub(super) fn of(trouble: Trouble, unit: &Unit, sent: Span, statement: Option<Span>) -> Self {
        match trouble {
            Trouble::Broken(message) => Self::Broken(message),
            Trouble::Answer(mut failure, spot) => {
                let found = spot.and_then(|spot| token_at(unit.text.as_str(), sent, spot));
                failure.position = found.map(|span| (span.start, span.len().max(1)));
                let hint = hint(unit, &failure.code).or_else(|| left_behind(unit, statement, &failure.code));
                failure.hint = failure.hint.or(hint.map(str::to_owned));
                Self::Failed { failure, span: found.or(statement) }
            }
        }
    }

    /// Reads trouble with a statement of the tool's own.
    pub(super) fn own(trouble: Trouble, doing: &str, target: &str) -> Self {
        match trouble {
            Trouble::Broken(message) => Self::Broken(message),
            trouble => Self::Engine(trouble.own(doing, target)),
        }
    }

    /// Reads trouble with the message behind a text, in which deferred constraints and triggers have their say
    /// before the tool writes its journal. `last` is the text's last statement.
    pub(super) fn at_the_end(trouble: Trouble, last: Option<Span>, target: &str) -> Self {
        // A trigger's error has no character of what was sent, but the context of its function, or is a
        // constraint's.
        let is_own = |failure: &SqlFailure, spot: Option<Spot>| {
            spot.is_some() || (failure.code == "42501" && failure.context.is_none())
        };
        match trouble {
            Trouble::Answer(failure, spot) if !is_own(&failure, spot) => Self::Failed { failure, span: last },
            trouble => Self::own(trouble, "writing the journal", target),
        }
    }

    /// Returns the SQLSTATE, or nothing.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Failed { failure, .. } => &failure.code,
            Self::Engine(EngineError::Sql { failure, .. }) => &failure.code,
            Self::Broken(_) | Self::Engine(_) => "",
        }
    }

    /// Adds who was in the way of a statement that waited too long for a lock.
    pub(super) fn blocked_by(mut self, blockers: Option<String>) -> Self {
        if let (Self::Failed { failure, .. }, Some(blockers)) = (&mut self, blockers)
            && failure.code == "55P03"
        {
            failure.detail = Some(format!("{BLOCKED}{blockers}"));
        }
        self
    }

    /// Returns who was in the way, if that was seen.
    pub(super) fn blockers(&self) -> Option<&str> {
        match self {
            Self::Failed { failure, .. } => failure.detail.as_deref()?.strip_prefix(BLOCKED),
            Self::Broken(_) | Self::Engine(_) => None,
        }
    }

    /// Returns true if running the same once more may well go better: a lock timeout, a deadlock, a
    /// serialization failure.
    pub(super) fn is_worth_another_try(&self) -> bool {
        matches!(self.code(), "55P03" | "40P01" | "40001")
    }

    /// Makes it an error of unit number `index`.
    pub(super) fn into_error(self, unit: &Unit, index: usize, kept: Option<usize>, target: &str) -> EngineError {
        match self {
            Self::Failed { failure, span } => {
                let place = span.map(|span| unit.text.place(span));
                EngineError::Unit(Box::new(UnitFailure { unit: index, failure: *failure, place, kept }))
            }
            Self::Broken(message) => EngineError::Lost { target: target.to_owned(), message },
            Self::Engine(error) => error,
        }
    }
}

/// Returns the token at a character of the text that was sent.
fn token_at(text: &str, sent: Span, spot: Spot) -> Option<Span> {
    let start = sent.start + byte_of_char(sent.text(text), usize::try_from(spot.0).ok()?)?;
    let rest = Span { start, end: sent.end };
    let token = Lexer::part(text, rest, DIALECT).next().and_then(Result::ok).map(|token| token.span);
    Some(token.unwrap_or(Span { start, end: (start + 1).min(sent.end) }))
}

/// Returns what becomes of what a failed `CONCURRENTLY` has left; a statement that was wrong in itself (class 42) has
/// not begun.
fn left_behind(unit: &Unit, statement: Option<Span>, code: &str) -> Option<&'static str> {
    let tokens = Tokens::new(unit.text.as_str(), statement?, DIALECT);
    let leaves = !code.starts_with("42")
        && matches!(
            concurrent_index(tokens),
            Some(ConcurrentIndex::Create { index: Some(_), .. } | ConcurrentIndex::Reindex { .. })
        );
    leaves.then_some("what it may have left of an index, marked INVALID, is dropped when the script runs again")
}

/// Returns what to do where the server says what is wrong, and not what to do about it in a script.
fn hint(unit: &Unit, code: &str) -> Option<&'static str> {
    match code {
        // A routine that ends transactions, or calls what cannot run in one: only the server sees that.
        "2D000" | "25001" if unit.mode != Mode::Statements => Some(
            "what must not run inside a transaction needs `-- dbbuild: no-transaction` at the head of its script, or \
             `directives = [\"no-transaction\"]` under `[script.\"VERSION\"]` in dbbuild.toml",
        ),
        "57014" => Some("if it needs longer, raise `statement-timeout`, at the head of the file or for the target"),
        _ => None,
    }
}
