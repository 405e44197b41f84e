//! SQL as text: tokens, statements, and what a statement is by its tokens.
//!
//! Nothing here reads a file or a database, and nothing parses a whole
//! statement: a grammar that lags behind the server would refuse scripts that
//! the server accepts. Promises: positions are byte offsets into the text that
//! was given; a cut never falls inside a string, a comment, a dollar quote,
//! parentheses or a body; time is linear in the text.

pub mod alter;
pub mod concurrent;
pub mod copy;
pub mod error;
pub mod foreign_keys;
pub mod head;
pub mod kind;
pub mod lexer;
pub mod name;
pub mod quote;
pub mod references;
pub mod refusal;
pub mod session;
pub mod span;
pub mod statement;
pub mod token;
pub mod tokens;
pub mod transaction;
pub mod variables;
pub mod verb;

mod body;

pub use alter::{Action, ActionKind, actions};
pub use concurrent::{ConcurrentIndex, concurrent_index, index_of_create_concurrently};
pub use copy::{copy_from_stdin, copy_to_stdout};
pub use error::{LexError, LexErrorKind};
pub use foreign_keys::{foreign_keys_pragma, foreign_keys_switch, keeps_references};
pub use head::Head;
pub use kind::Kind;
pub use lexer::Lexer;
pub use name::Name;
pub use quote::{quote_identifier, quote_literal};
pub use references::{Mention, creates, mentions};
pub use refusal::refuses_transaction;
pub use session::{SessionSetting, session_object, session_setting};
pub use span::{LineIndex, Position, Span, byte_of_char};
pub use statement::{Statement, Statements, split};
pub use token::{Token, TokenKind};
pub use tokens::{Lexed, Tokens};
pub use transaction::{
    Isolation, TransactionControl, TransactionPairs, fusion_barrier, isolation, may_commit, transaction_control,
    transaction_pairs,
};
pub use variables::{Variable, VariableKind, variables};
pub use verb::Verb;

/// The grammar that a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// PostgreSQL 13 and later, with `standard_conforming_strings` on.
    Postgres,
    /// SQLite 3.
    Sqlite,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 2] = [Self::Postgres, Self::Sqlite];

    /// The dialect's name, as in settings and file suffixes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }

    /// The dialect of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Postgres, Self::Sqlite].into_iter().find(|dialect| dialect.name() == name)
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
