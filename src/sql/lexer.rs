//! The lexer: a text as tokens that tile it without gaps.
//!
//! Promises: every byte belongs to exactly one token; time is linear, memory is
//! constant, nothing recurses; the first error ends the iteration. Data behind
//! `COPY … FROM stdin;` is not SQL, so the lexer itself knows it (`copy_watch`):
//! whoever reads tokens of a whole file is right about it.

mod copy_watch;
mod postgres;
mod sqlite;

use self::copy_watch::{CopyWatch, Expect};
use super::{Dialect, LexError, LexErrorKind, Span, Token, TokenKind};

/// What stops a scan: the error, and how long the token that opened it is.
struct Fault {
    kind: LexErrorKind,
    opener: usize,
}

impl Fault {
    const fn new(kind: LexErrorKind, opener: usize) -> Self {
        Self { kind, opener }
    }
}

/// One token from a scan: its kind and its end.
type Scan = Result<(TokenKind, usize), Fault>;

/// An iterator over the tokens of a text.
///
/// It is a small `Copy` value, so looking ahead is copying it.
#[derive(Debug, Clone, Copy)]
pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
    end: usize,
    /// The first NUL; looked for once, not in each token.
    nul: usize,
    dialect: Dialect,
    copy: CopyWatch,
}

impl<'a> Lexer<'a> {
    /// Reads a whole script.
    #[must_use]
    pub fn new(text: &'a str, dialect: Dialect) -> Self {
        let copy = match dialect {
            Dialect::Postgres => CopyWatch::default(),
            Dialect::Sqlite => CopyWatch::off(),
        };
        Self { text, at: 0, end: text.len(), nul: first_nul(text), dialect, copy }
    }

    /// Reads a part of a text that is SQL throughout: one statement, a function's
    /// body. Spans stay those of `text`. Data of `COPY` is not looked for.
    #[must_use]
    pub fn part(text: &'a str, span: Span, dialect: Dialect) -> Self {
        let end = span.end.min(text.len());
        let fits = text.is_char_boundary(span.start) && text.is_char_boundary(end);
        let at = if fits { span.start } else { end };
        Self { text, at, end, nul: usize::MAX, dialect, copy: CopyWatch::off() }
    }

    /// The text that spans refer to.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The dialect that it reads.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Where the next token begins.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Whether the text went on with data of `COPY` that has not been read yet.
    pub(super) const fn awaits_copy_data(&self) -> bool {
        !matches!(self.copy.expect(), Expect::Sql)
    }

    /// Goes on at `at`, as in front of a statement.
    pub(super) fn jump(&mut self, at: usize) {
        if self.text.is_char_boundary(at) {
            self.at = at.min(self.end);
            self.copy.restart();
        }
    }

    fn token(&self) -> Scan {
        let bytes = self.text.as_bytes().get(..self.end).unwrap_or(&[]);
        match self.copy.expect() {
            Expect::Sql => match self.dialect {
                Dialect::Postgres => postgres::scan(bytes, self.at),
                Dialect::Sqlite => sqlite::scan(bytes, self.at),
            },
            Expect::RestOfLine => copy_watch::scan_rest_of_line(bytes, self.at),
            Expect::Data => copy_watch::scan_data(bytes, self.at),
        }
    }

    fn fail(&mut self, kind: LexErrorKind, span: Span) -> Option<Result<Token, LexError>> {
        self.at = self.end;
        Some(Err(LexError { kind, span }))
    }
}

impl Iterator for Lexer<'_> {
    type Item = Result<Token, LexError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let start = self.at;
        match self.token() {
            Ok((_, end)) if end > self.nul => self.fail(LexErrorKind::Nul, Span::new(self.nul, self.nul + 1)),
            Ok((kind, end)) => {
                self.at = end;
                let span = Span { start, end };
                self.copy.see(kind, span, self.text);
                Some(Ok(Token { kind, span }))
            }
            // A NUL further on would be found first if what is open were closed.
            Err(fault) => self.fail(fault.kind, Span::new(start, start + fault.opener)),
        }
    }
}

fn first_nul(text: &str) -> usize {
    // `contains` of a byte slice is vectorised, and no NUL is what nearly every text has.
    if text.as_bytes().contains(&0) { text.find('\0').unwrap_or(usize::MAX) } else { usize::MAX }
}

/// The end of a quoted stretch whose opening quote is at `at`: a doubled quote
/// stands for one. `None` if it is never closed.
fn quoted(bytes: &[u8], at: usize, quote: u8) -> Option<usize> {
    let mut from = at + 1;
    loop {
        let close = find(bytes, from, quote)?;
        if bytes.get(close + 1) != Some(&quote) {
            return Some(close + 1);
        }
        from = close + 2;
    }
}

/// The first `wanted` at or behind `from`.
fn find(bytes: &[u8], from: usize, wanted: u8) -> Option<usize> {
    bytes.get(from..)?.iter().position(|byte| *byte == wanted).map(|at| from + at)
}

/// The end of the run of bytes from `at` on that `class` accepts.
#[inline]
fn run(bytes: &[u8], at: usize, class: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    at + rest.iter().position(|byte| !class(*byte)).unwrap_or(rest.len())
}

/// Whether a byte may stand inside an unquoted identifier, in either dialect.
const fn is_identifier_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests;
