//! From the driver's errors to the tool's own. Every text passes the redactor.

use postgres::error::{DbError, ErrorPosition};

use super::redact::Redactor;
use crate::engine::{EngineError, SqlFailure};

/// What a statement came to grief on.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The database's own answer; the connection is in step. Boxed, for it is large.
    Answer(Box<SqlFailure>, Option<Spot>),
    /// Anything else; the connection must not be used again.
    Broken(String),
}

/// Where the server says it was: the character, from 1, of the text that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot(pub u32);

impl Trouble {
    /// Reads a driver's error.
    pub(super) fn of(error: &postgres::Error, redactor: &Redactor) -> Self {
        match error.as_db_error() {
            // 57P01..57P03: the server ends the session, so there is nothing left to be in step with.
            Some(answer)
                if !matches!(answer.code().code(), "57P01" | "57P02" | "57P03" | "57P05") && !error.is_closed() =>
            {
                let spot = match answer.position() {
                    Some(ErrorPosition::Original(at)) => Some(Spot(*at)),
                    Some(ErrorPosition::Internal { .. }) | None => None,
                };
                Self::Answer(Box::new(failure(answer, redactor)), spot)
            }
            Some(answer) => Self::Broken(redactor.clean(answer.message())),
            None => Self::Broken(redactor.clean(&chain(error))),
        }
    }

    /// Returns the SQLSTATE, or nothing for a broken connection.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Answer(failure, _) => &failure.code,
            Self::Broken(_) => "",
        }
    }

    /// Makes it an error of a statement of the tool's own. `doing` says which: `reading the journal`.
    pub(super) fn own(self, doing: &str, target: &str) -> EngineError {
        match self {
            Self::Answer(failure, _) => EngineError::Sql { doing: doing.to_owned(), failure },
            Self::Broken(message) => EngineError::Lost { target: target.to_owned(), message },
        }
    }
}

/// Returns what the database said.
pub(super) fn failure(error: &DbError, redactor: &Redactor) -> SqlFailure {
    let clean = |text: &str| redactor.clean(text);
    let internal = match error.position() {
        Some(ErrorPosition::Internal { query, position }) => Some(format!("at character {position} of: {query}")),
        Some(ErrorPosition::Original(_)) | None => None,
    };
    let context: Vec<String> =
        internal.into_iter().chain(error.where_().map(str::to_owned)).map(|text| clean(&text)).collect();
    SqlFailure {
        code: error.code().code().to_owned(),
        message: clean(error.message()),
        detail: error.detail().map(clean),
        hint: error.hint().map(clean),
        context: (!context.is_empty()).then(|| context.join("\n")),
        position: None,
    }
}

/// Returns an error with what caused it, each cause once: drivers repeat their causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
