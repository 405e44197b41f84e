//! A statement's significant tokens, and the few moves that patterns are made of.
//!
//! A value is small and `Copy`: to look ahead, copy it; to give up, use the
//! copy. Tokens are lexed as they are asked for, so that looking at the head of
//! a 50 MB `INSERT` costs nothing.

use super::{Dialect, Lexer, Name, Span, Token, TokenKind};

/// The tokens of one statement, without white space and comments.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a> {
    lexer: Lexer<'a>,
    /// What is left of a list, where the text was lexed before.
    list: Option<&'a [Token]>,
    next: Option<Token>,
    end: usize,
}

impl<'a> Tokens<'a> {
    /// The tokens of `span` in `text`. They end early where the text is broken,
    /// which the splitter has ruled out.
    #[must_use]
    pub fn new(text: &'a str, span: Span, dialect: Dialect) -> Self {
        let mut tokens = Self { lexer: Lexer::part(text, span, dialect), list: None, next: None, end: span.start };
        tokens.advance();
        tokens
    }

    /// The tokens of a text of its own.
    #[must_use]
    pub fn of(text: &'a str, dialect: Dialect) -> Self {
        Self::new(text, Span::new(0, text.len()), dialect)
    }

    /// The text that spans refer to.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.lexer.text()
    }

    /// The grammar that they are read by.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.lexer.dialect()
    }

    /// The next token.
    #[must_use]
    pub const fn peek(&self) -> Option<Token> {
        self.next
    }

    /// The end of the token that was taken last, or where the first one began.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.end
    }

    /// Where the next token begins; behind the last one, its end.
    #[must_use]
    pub fn start(&self) -> usize {
        self.next.map_or(self.end, |token| token.span.start)
    }

    /// Whether the next token is of this kind.
    #[must_use]
    pub fn at(&self, kind: TokenKind) -> bool {
        self.next.is_some_and(|token| token.kind == kind)
    }

    /// Whether the next token is this keyword.
    #[must_use]
    pub fn at_word(&self, word: &str) -> bool {
        self.next.is_some_and(|token| token.is_word(self.text(), word))
    }

    /// Whether the next token is one of these keywords.
    #[must_use]
    pub fn at_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.at_word(word))
    }

    /// Takes the next token if it is of this kind.
    pub fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.at(kind);
        if found {
            self.advance();
        }
        found
    }

    /// Takes the next token if it is this keyword.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.advance();
        }
        found
    }

    /// Takes these keywords, all of them or none.
    pub fn eat_words(&mut self, words: &[&str]) -> bool {
        // Most attempts fail at the first word; those cost no copy.
        if words.first().is_some_and(|first| !self.at_word(first)) {
            return false;
        }
        let mut ahead = *self;
        let found = words.iter().all(|word| ahead.eat_word(word));
        if found {
            *self = ahead;
        }
        found
    }

    /// Takes one of these keywords.
    pub fn eat_any<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        words.iter().copied().find(|word| self.eat_word(word))
    }

    /// Takes an operator with this text.
    pub fn eat_operator(&mut self, operator: &str) -> bool {
        let found =
            self.next.is_some_and(|token| token.kind == TokenKind::Operator && token.text(self.text()) == operator);
        if found {
            self.advance();
        }
        found
    }

    /// Takes a name: identifiers joined by dots, and where they stand.
    pub fn eat_name(&mut self) -> Option<(Name, Span)> {
        let mut ahead = *self;
        let first = ahead.name_part()?;
        let mut span = first.span;
        let mut name = Name::part(first.text(self.text()), first.kind, self.dialect());
        while ahead.at(TokenKind::Dot) {
            let mut behind = ahead;
            behind.advance();
            let Some(part) = behind.name_part() else { break };
            name.push(part.text(self.text()), part.kind, self.dialect());
            span = span.join(part.span);
            ahead = behind;
        }
        *self = ahead;
        Some((name, span))
    }

    fn name_part(&mut self) -> Option<Token> {
        // SQLite takes a string where it wants a name.
        let fits =
            |kind: TokenKind| kind.is_identifier() || (kind == TokenKind::String && self.dialect() == Dialect::Sqlite);
        let token = self.next.filter(|token| fits(token.kind))?;
        self.advance();
        Some(token)
    }

    /// Takes a balanced group in parentheses and returns its span; nothing if
    /// the next token opens none.
    pub fn eat_parens(&mut self) -> Option<Span> {
        let start = self.next.filter(|token| token.kind == TokenKind::OpenParen)?.span.start;
        let mut depth = 0_usize;
        for token in self.by_ref() {
            match token.kind {
                TokenKind::OpenParen => depth += 1,
                TokenKind::CloseParen => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        Some(Span::new(start, self.end))
    }

    /// Goes to the first of these keywords outside parentheses and stops in
    /// front of it; without one, goes to the end.
    pub fn skip_to_any(&mut self, words: &[&str]) -> bool {
        while let Some(token) = self.next {
            if self.at_any(words) {
                return true;
            }
            if token.kind == TokenKind::OpenParen {
                self.eat_parens();
            } else {
                self.advance();
            }
        }
        false
    }

    /// Goes behind the first of this keyword, parentheses included.
    pub fn skip_past(&mut self, word: &str) -> bool {
        let text = self.text();
        self.any(|token| token.is_word(text, word))
    }

    /// The text of the next token; empty at the end.
    #[must_use]
    pub fn next_text(&self) -> &'a str {
        self.next.map_or("", |token| token.text(self.text()))
    }

    /// Whether this keyword comes anywhere, parentheses included.
    #[must_use]
    pub fn has_word(mut self, word: &str) -> bool {
        self.skip_past(word)
    }

    /// Whether one of these keywords comes anywhere, parentheses included.
    #[must_use]
    pub fn has_any(mut self, words: &[&str]) -> bool {
        let text = self.text();
        self.any(|token| words.iter().any(|word| token.is_word(text, word)))
    }

    /// Whether these keywords come anywhere, one right behind the other.
    #[must_use]
    pub fn has_words(mut self, words: &[&str]) -> bool {
        while self.next.is_some() {
            if self.eat_words(words) {
                return true;
            }
            self.advance();
        }
        false
    }

    fn advance(&mut self) -> Option<Token> {
        let taken = self.next;
        if let Some(token) = taken {
            self.end = token.span.end;
        }
        self.next = match &mut self.list {
            Some(list) => list.split_off_first().copied(),
            None => self.lexer.by_ref().map_while(Result::ok).find(|token| !token.kind.is_trivia()),
        };
        taken
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.advance()
    }
}

/// A text with its tokens, for whoever reads the same statements again and again.
#[derive(Debug)]
pub struct Lexed<'a> {
    /// The text.
    pub text: &'a str,
    /// The grammar.
    pub dialect: Dialect,
    tokens: Vec<Token>,
    /// How far the text was lexed.
    end: usize,
}

impl<'a> Lexed<'a> {
    /// Longer texts are lexed as they are read: tokens take several times the memory of their text.
    const LONGEST: usize = 1 << 20;

    /// Lexes a script.
    #[must_use]
    pub fn of(text: &'a str, dialect: Dialect) -> Self {
        let mut end = 0;
        let lexed = Lexer::new(text, dialect).take_while(|_| text.len() <= Self::LONGEST).map_while(Result::ok);
        let significant = lexed.inspect(|token| end = token.span.end).filter(|token| !token.kind.is_trivia());
        let tokens = significant.collect();
        Self { text, dialect, tokens, end }
    }

    /// The tokens of a part of the text.
    #[must_use]
    pub fn part(&'a self, span: Span) -> Tokens<'a> {
        let first = self.tokens.partition_point(|token| token.span.end <= span.start);
        let behind = self.tokens.partition_point(|token| token.span.end <= span.end);
        let begins_behind =
            |at: usize, border: usize| self.tokens.get(at).is_none_or(|token| token.span.start >= border);
        // A part that cuts a token (the inside of a string) has tokens of its own.
        if span.end > self.end || !begins_behind(first, span.start) || !begins_behind(behind, span.end) {
            return Tokens::new(self.text, span, self.dialect);
        }
        let lexer = Lexer::part(self.text, Span::new(span.end, span.end), self.dialect);
        let mut tokens = Tokens { lexer, list: self.tokens.get(first..behind), next: None, end: span.start };
        tokens.advance();
        tokens
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lexed_before_reads_like_what_is_lexed_now() {
        let text =
            "insert /* a */ into t (x) values ('a b', $$c d$$); copy t from stdin;\n1\n\\.\nselect 1.5::int -- end";
        let lexed = Lexed::of(text, Dialect::Postgres);
        // Only a whole script knows its data from SQL.
        let (data, behind) = (text.find("1\n").unwrap(), text.find("select").unwrap());
        let borders: Vec<usize> = lexed.tokens.iter().flat_map(|token| [token.span.start, token.span.end]).collect();
        assert!(borders.len() > 30);
        for start in borders.iter().copied() {
            for end in borders.iter().copied().filter(|end| start <= *end && *end - start < 40) {
                let span = Span::new(start, end);
                let (known, fresh) = (lexed.part(span), Tokens::new(text, span, Dialect::Postgres));
                assert_eq!((known.start(), known.end()), (fresh.start(), fresh.end()));
                if end <= data || behind <= start {
                    assert!(known.eq(fresh), "{}", span.text(text));
                }
            }
        }
        // The inside of a string.
        let inside = text.find("c d").unwrap();
        let words = lexed.part(Span::new(inside, inside + 3)).map(|token| token.text(text)).collect::<Vec<_>>();
        assert_eq!(words, ["c", "d"]);
    }
}
