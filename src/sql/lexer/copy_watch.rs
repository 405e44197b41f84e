//! Knows when the lines that follow are data of `COPY … FROM stdin;`.
//!
//! A few words at the head of a statement decide it, so a column that is called
//! `stdin`, a `COPY … FROM 'file'` or the word in a comment never do.

use super::{Fault, LexErrorKind, Scan, TokenKind, find};
use crate::sql::Span;

/// How far the statement at hand looks like `COPY … FROM stdin`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum CopyWatch {
    /// Nothing is looked for.
    Off,
    /// In front of a statement.
    #[default]
    Start,
    /// In a statement that is something else.
    Other,
    /// Behind `COPY`, this deep in parentheses.
    Copy(u32),
    /// Behind its `FROM`.
    From,
    /// Behind `FROM STDIN`, this deep in parentheses.
    Stdin(u32),
    /// Behind the semicolon, on its line.
    RestOfLine,
    /// In the lines of data.
    Data,
}

/// What the next bytes are.
pub(super) enum Expect {
    Sql,
    RestOfLine,
    Data,
}

impl CopyWatch {
    pub(super) const fn off() -> Self {
        Self::Off
    }

    /// Looks for a statement's start again.
    pub(super) fn restart(&mut self) {
        if *self != Self::Off {
            *self = Self::Start;
        }
    }

    #[inline]
    pub(super) const fn expect(self) -> Expect {
        match self {
            Self::RestOfLine => Expect::RestOfLine,
            Self::Data => Expect::Data,
            _ => Expect::Sql,
        }
    }

    /// Takes notice of a token that was read.
    #[inline]
    pub(super) fn see(&mut self, kind: TokenKind, span: Span, text: &str) {
        match self {
            Self::Off => {}
            Self::Other => {
                if kind == TokenKind::Semicolon {
                    *self = Self::Start;
                }
            }
            _ => *self = self.after(kind, span.text(text)),
        }
    }

    fn after(self, kind: TokenKind, word: &str) -> Self {
        let is = |wanted: &str| kind == TokenKind::Word && word.eq_ignore_ascii_case(wanted);
        match (self, kind) {
            (Self::RestOfLine, TokenKind::Whitespace) if word.ends_with('\n') => Self::Data,
            (Self::Data, TokenKind::CopyEnd) => Self::Start,
            (Self::RestOfLine | Self::Data, _) => self,
            (_, kind) if kind.is_trivia() => self,
            (Self::Stdin(0), TokenKind::Semicolon) => Self::RestOfLine,
            (Self::Start | Self::Copy(0) | Self::From, TokenKind::Semicolon) => Self::Start,
            (Self::Start, _) if is("copy") => Self::Copy(0),
            (Self::Copy(0), _) if is("from") => Self::From,
            (Self::From, _) if is("stdin") => Self::Stdin(0),
            (Self::Copy(depth), TokenKind::OpenParen) => Self::Copy(depth.saturating_add(1)),
            (Self::Copy(depth), TokenKind::CloseParen) => Self::Copy(depth.saturating_sub(1)),
            (Self::Stdin(depth), TokenKind::OpenParen) => Self::Stdin(depth.saturating_add(1)),
            (Self::Stdin(depth), TokenKind::CloseParen) => Self::Stdin(depth.saturating_sub(1)),
            (Self::Copy(_) | Self::Stdin(_), _) => self,
            _ => Self::Other,
        }
    }
}

/// Behind the semicolon: blanks, a line comment, and the line break as a token
/// of its own, so that the first line of data keeps its leading blanks.
pub(super) fn scan_rest_of_line(bytes: &[u8], at: usize) -> Scan {
    let line_end = find(bytes, at, b'\n').unwrap_or(bytes.len());
    let rest = bytes.get(at..line_end).unwrap_or(&[]);
    match rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | 0x0B | 0x0C)) {
        None => Ok((TokenKind::Whitespace, (line_end + 1).min(bytes.len()))),
        Some(0) if rest.starts_with(b"--") => Ok((TokenKind::LineComment, line_end)),
        Some(0) => Err(Fault::new(LexErrorKind::TextAfterCopy, 1)),
        Some(blanks) => Ok((TokenKind::Whitespace, at + blanks)),
    }
}

/// The data up to the line `\.`, or that line itself when it is next.
pub(super) fn scan_data(bytes: &[u8], at: usize) -> Scan {
    let mut line = at;
    loop {
        let rest = bytes.get(line..).unwrap_or(&[]);
        if let [b'\\', b'.', after @ ..] = rest
            && matches!(after, [] | [b'\n', ..] | [b'\r', b'\n', ..] | [b'\r'])
        {
            let whole = if line == at { (TokenKind::CopyEnd, at + 2) } else { (TokenKind::CopyData, line) };
            return Ok(whole);
        }
        match find(bytes, line, b'\n') {
            Some(end) => line = end + 1,
            None => return Err(Fault::new(LexErrorKind::UnterminatedCopyData, 0)),
        }
    }
}
