//! The splitter: a script as statements.
//!
//! Promises: the statements' `whole` spans, and what follows the last one, tile
//! the text; a statement is never cut where its server would not cut it; a
//! script is read once, from front to back, whatever its size. What a server
//! would silently misread (an open comment, a NUL, psql's commands) is an error.

use super::body::Body;
use super::{Dialect, LexError, LexErrorKind, Lexer, Span, Token, TokenKind, Tokens};

/// One statement of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// From its first token to its last, without the semicolon.
    pub span: Span,
    /// What stands in front and belongs to it: white space, comments, and the
    /// semicolons of empty statements.
    pub lead: Span,
    /// What stands behind and belongs to it: its semicolon, data of `COPY`, and
    /// a comment on the rest of the line.
    pub tail: Span,
    /// Whether it has a semicolon.
    pub terminated: bool,
    /// The lines of data behind a `COPY … FROM stdin;`, without the line `\.`.
    pub copy_data: Option<Span>,
}

impl Statement {
    /// The statement with all that belongs to it. These tile a script.
    #[must_use]
    pub const fn whole(&self) -> Span {
        Span::new(self.lead.start, self.tail.end)
    }

    /// Its text, without the semicolon.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        self.span.text(text)
    }

    /// Its significant tokens; `text` is the script that it came from.
    #[must_use]
    pub fn tokens<'a>(&self, text: &'a str, dialect: Dialect) -> Tokens<'a> {
        Tokens::new(text, self.span, dialect)
    }
}

/// An iterator over the statements of a script.
///
/// An error ends it, except that behind a meta-command it goes on, so that a
/// reader who knows a command (pg_dump's `\restrict`) can skip it.
#[derive(Debug, Clone)]
pub struct Statements<'a> {
    lexer: Lexer<'a>,
    /// The end of the statement before.
    from: usize,
    failed: bool,
}

/// Splits a whole script, or returns its first error.
///
/// # Errors
///
/// The first error of the text.
pub fn split(text: &str, dialect: Dialect) -> Result<Vec<Statement>, LexError> {
    Statements::new(text, dialect).collect()
}

impl<'a> Statements<'a> {
    /// Reads the script `text`.
    #[must_use]
    pub fn new(text: &'a str, dialect: Dialect) -> Self {
        Self { lexer: Lexer::new(text, dialect), from: 0, failed: false }
    }

    /// What has not been handed out: behind the last statement, the comments
    /// and white space that end the script.
    #[must_use]
    pub fn rest(&self) -> Span {
        Span::new(self.from, self.lexer.text().len())
    }

    fn statement(&mut self) -> Result<Option<Statement>, LexError> {
        let text = self.lexer.text();
        let mut body = Body::new(self.lexer.dialect());
        let mut found: Option<Span> = None;
        while let Some(token) = self.lexer.next() {
            let token = token?;
            match token.kind {
                kind if kind.is_trivia() => continue,
                TokenKind::Semicolon if body.is_closed() => match found {
                    None => continue,
                    Some(span) => return self.finish(span, Some(token)).map(Some),
                },
                TokenKind::MetaCommand => return Err(self.meta_command(token.span)),
                // The sqlite3 shell's commands stand where a statement would begin.
                TokenKind::Dot if found.is_none() && self.lexer.dialect() == Dialect::Sqlite => {
                    let line = text.get(token.span.start..).and_then(|rest| rest.lines().next());
                    let end = token.span.start + line.map_or(1, str::len);
                    return Err(self.meta_command(Span::new(token.span.start, end)));
                }
                _ => {}
            }
            body.see(token, text);
            found = Some(found.map_or(token.span, |span| span.join(token.span)));
        }
        found.map(|span| self.finish(span, None)).transpose()
    }

    /// Takes what belongs to a statement behind its last token.
    fn finish(&mut self, span: Span, semicolon: Option<Token>) -> Result<Statement, LexError> {
        let lead = Span::new(self.from, span.start);
        let mut tail = Span::new(span.end, semicolon.map_or(span.end, |token| token.span.end));
        let mut copy_data = None;
        if self.lexer.awaits_copy_data() {
            let (data, end) = self.copy_data(span)?;
            copy_data = Some(data);
            tail.end = end;
        } else if semicolon.is_some() {
            tail.end = self.comment_on_line(tail.end);
        }
        self.from = tail.end;
        Ok(Statement { span, lead, tail, terminated: semicolon.is_some(), copy_data })
    }

    /// The data of a `COPY` and the end of its last line.
    fn copy_data(&mut self, copy: Span) -> Result<(Span, usize), LexError> {
        let mut data = None;
        for token in self.lexer.by_ref() {
            // The lexer cannot know where the statement began that it was for.
            let unterminated = |error: LexError| match error.kind {
                LexErrorKind::UnterminatedCopyData => LexError { span: copy, ..error },
                _ => error,
            };
            let Token { kind, span } = token.map_err(unterminated)?;
            match kind {
                TokenKind::CopyData => data = Some(span),
                TokenKind::CopyEnd => return Ok((data.unwrap_or(Span::new(span.start, span.start)), span.end)),
                _ => {}
            }
        }
        Err(LexError { kind: LexErrorKind::UnterminatedCopyData, span: copy })
    }

    /// The end of what still speaks of this statement: comments on the line of
    /// its semicolon, if nothing else follows there. Comments in front of
    /// another statement belong to that one.
    fn comment_on_line(&mut self, from: usize) -> usize {
        let text = self.lexer.text();
        let mut ahead = self.lexer;
        let mut end = from;
        while let Some(Ok(token)) = ahead.next() {
            let line_break = token.text(text).find('\n');
            match (token.kind, line_break) {
                (TokenKind::LineComment | TokenKind::BlockComment, None) => end = token.span.end,
                (TokenKind::Whitespace, None) => {}
                (TokenKind::Whitespace, Some(_)) => return end,
                _ => return from,
            }
        }
        if ahead.at() >= text.len() { end } else { from }
    }

    fn meta_command(&mut self, span: Span) -> LexError {
        let text = span.text(self.lexer.text());
        let mut name: String = text.split_whitespace().next().unwrap_or(text).into();
        // `\i'file'` is `\i`; `\.` and `\!` have one character.
        let letters = name.get(1..).unwrap_or("").chars().take_while(|char| char.is_alphanumeric() || *char == '_');
        let length = letters.map(char::len_utf8).sum::<usize>().max(1) + 1;
        if name.is_char_boundary(length.min(name.len())) {
            name.truncate(length);
        }
        self.skip_to(span.end);
        LexError { kind: LexErrorKind::MetaCommand { name }, span }
    }

    /// Goes on behind a meta-command; what led up to it is not handed out.
    fn skip_to(&mut self, end: usize) {
        self.lexer.jump(end);
        self.from = end;
    }
}

impl Iterator for Statements<'_> {
    type Item = Result<Statement, LexError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.statement().transpose();
        if let Some(Err(error)) = &next {
            self.failed = !matches!(error.kind, LexErrorKind::MetaCommand { .. });
        }
        next
    }
}
