//! What the lexer and the splitter cannot go on from.
//!
//! Each error points at what was opened and never closed, since the end of the
//! text, where the lexer noticed, helps nobody.

use super::Span;

/// An error in a text, and where it began.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct LexError {
    /// What is wrong.
    pub kind: LexErrorKind,
    /// The token that opened it; for a meta-command, all of it.
    pub span: Span,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LexErrorKind {
    /// A string literal has no closing quote.
    #[error("string has no closing quote")]
    UnterminatedString,
    /// A quoted identifier has no closing quote.
    #[error("quoted identifier has no closing quote")]
    UnterminatedIdentifier,
    /// A block comment has no `*/`. SQLite would ignore the rest of the file.
    #[error("comment has no closing */")]
    UnterminatedComment,
    /// A dollar-quoted string has no closing tag.
    #[error("dollar-quoted string has no closing ${tag}$")]
    UnterminatedDollarQuote {
        /// The tag between the dollars; empty for `$$`.
        tag: String,
    },
    /// `COPY … FROM stdin;` has no line `\.` behind it.
    #[error(r"data of copy from stdin has no closing line \.")]
    UnterminatedCopyData,
    /// Something stands behind `COPY … FROM stdin;` on the same line.
    #[error("copy from stdin must end its line: its data begins on the next one")]
    TextAfterCopy,
    /// A NUL character. SQLite would ignore the rest of the file.
    #[error("text has a NUL character")]
    Nul,
    /// A command of psql or of the sqlite3 shell, which no server knows.
    #[error("{name} is a command of the {} shell, not SQL", if name.starts_with('.') { "sqlite3" } else { "psql" })]
    MetaCommand {
        /// The command with its backslash (or dot), as `\gexec`.
        name: String,
    },
}
