//! What the lexer yields: kinds of tokens and where they stand.

use super::Span;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Blanks and line breaks.
    Whitespace,
    /// `-- …`, without its line break.
    LineComment,
    /// `/* … */`.
    BlockComment,
    /// A keyword or an unquoted identifier; which of them depends on the place.
    Word,
    /// `"x"`; in SQLite also `` `x` `` and `[x]`.
    QuotedIdentifier,
    /// `'x'` or `N'x'`, with continuations on further lines (PostgreSQL).
    String,
    /// `E'x'`, with backslash escapes.
    EscapeString,
    /// `U&'x'`.
    UnicodeString,
    /// `U&"x"`.
    UnicodeIdentifier,
    /// `B'01'` or `X'ff'`.
    BitString,
    /// `$tag$ … $tag$`.
    DollarString,
    /// A number.
    Number,
    /// `$1`; in SQLite `?`, `?1`, `:a`, `@a`, `#a`, `$a`.
    Parameter,
    /// An operator, `::` and `:=` included.
    Operator,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// A single `:`.
    Colon,
    /// A backslash and the rest of its line: a psql meta-command.
    MetaCommand,
    /// The lines of data behind `COPY … FROM stdin;`.
    CopyData,
    /// The `\.` that ends such data.
    CopyEnd,
    /// A character that begins no token.
    Unknown,
}

impl TokenKind {
    /// Whether it is white space or a comment.
    #[must_use]
    pub const fn is_trivia(self) -> bool {
        matches!(self, Self::Whitespace | Self::LineComment | Self::BlockComment)
    }

    /// Whether it is a comment.
    #[must_use]
    pub const fn is_comment(self) -> bool {
        matches!(self, Self::LineComment | Self::BlockComment)
    }

    /// Whether it is a string literal of any spelling.
    #[must_use]
    pub const fn is_string(self) -> bool {
        matches!(self, Self::String | Self::EscapeString | Self::UnicodeString | Self::DollarString)
    }

    /// Whether it can be a part of a name.
    #[must_use]
    pub const fn is_identifier(self) -> bool {
        matches!(self, Self::Word | Self::QuotedIdentifier | Self::UnicodeIdentifier)
    }
}

/// One token and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

impl Token {
    /// Its text.
    #[must_use]
    pub fn text(self, text: &str) -> &str {
        self.span.text(text)
    }

    /// Whether it is this keyword, in any case. A quoted identifier never is.
    #[must_use]
    pub fn is_word(self, text: &str, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text(text).eq_ignore_ascii_case(word)
    }
}
