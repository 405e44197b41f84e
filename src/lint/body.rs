//! The statements inside a `DO` block, with the tests and the exception clauses around them.
//!
//! PL/pgSQL is read as far as its block structure: `BEGIN`, `IF`, `LOOP`, `CASE`, `EXCEPTION`. What that does not
//! explain is opaque, and rules are silent about it.

use super::statement::{Guarding, Statement};
use crate::sql::{Dialect, Span, TokenKind, Tokens, Verb};

/// Adds the statements of a `DO` block. A body in another language has none.
pub(super) fn inside<'a>(text: &'a str, span: Span, outer: &[Guarding], found: &mut Vec<Statement<'a>>) {
    let tokens = Tokens::new(text, span, Dialect::Postgres);
    let mut language = tokens;
    if language.skip_past("language") && !language.next_text().trim_matches('\'').eq_ignore_ascii_case("plpgsql") {
        return;
    }
    let mut strings = tokens.filter(|token| token.kind == TokenKind::DollarString);
    let Some(body) = strings.next() else { return };
    let written = body.text(text);
    let Some(tag) = written.get(1..).and_then(|rest| rest.find('$')).map(|at| at + 2) else { return };
    if written.len() < 2 * tag {
        return;
    }
    let inner = Span::new(body.span.start + tag, body.span.end - tag);
    let mut reader = Reader { tokens: Tokens::new(text, inner, Dialect::Postgres), text, found };
    reader.list(outer, 0);
}

struct Reader<'a, 'f> {
    tokens: Tokens<'a>,
    text: &'a str,
    found: &'f mut Vec<Statement<'a>>,
}

/// Deeper than anybody nests blocks; beyond it nothing is read.
const DEEPEST: usize = 64;

impl Reader<'_, '_> {
    /// Reads statements up to the word that ends this list, which is left.
    fn list(&mut self, around: &[Guarding], depth: usize) {
        if depth > DEEPEST {
            return;
        }
        while self.tokens.peek().is_some() {
            if self.tokens.at_any(&["end", "elsif", "elseif", "else", "exception", "when"]) {
                return;
            }
            let before = self.tokens.start();
            self.statement(around, depth);
            if self.tokens.peek().is_some() && self.tokens.start() == before {
                self.tokens.next();
            }
        }
    }

    fn statement(&mut self, around: &[Guarding], depth: usize) {
        if self.tokens.eat_word("declare") {
            self.tokens.skip_to_any(&["begin"]);
        } else if self.tokens.eat_word("begin") {
            self.block(around, depth);
        } else if self.tokens.eat_word("if") {
            self.condition(around, depth);
        } else if self.tokens.at_any(&["for", "foreach", "while", "loop"]) {
            self.tokens.skip_to_any(&["loop"]);
            self.tokens.next();
            self.list(&with(around, Guarding::Opaque), depth + 1);
            self.end("loop");
        } else if self.tokens.eat_word("case") {
            self.tokens.skip_to_any(&["when"]);
            while self.tokens.eat_any(&["when", "else"]).is_some() {
                self.tokens.skip_to_any(&["then"]);
                self.tokens.next();
                self.list(&with(around, Guarding::Opaque), depth + 1);
            }
            self.end("case");
        } else {
            self.simple(around);
        }
    }

    fn block(&mut self, around: &[Guarding], depth: usize) {
        let from = self.found.len();
        self.list(around, depth + 1);
        let to = self.found.len();
        let mut caught = Vec::new();
        if self.tokens.eat_word("exception") {
            while self.tokens.eat_word("when") {
                for token in self.tokens.by_ref() {
                    if token.is_word(self.text, "then") {
                        break;
                    }
                    if !token.is_word(self.text, "or") {
                        caught.push(token.text(self.text).to_ascii_lowercase());
                    }
                }
                self.list(&with(around, Guarding::Opaque), depth + 1);
            }
            for statement in &mut self.found[from..to] {
                statement.guards.push(Guarding::Caught(caught.clone()));
            }
        }
        self.end("");
    }

    fn condition(&mut self, around: &[Guarding], depth: usize) {
        let start = self.tokens.start();
        self.tokens.skip_to_any(&["then"]);
        let condition = Guarding::Condition(Span::new(start, self.tokens.end()));
        self.tokens.next();
        self.list(&with(around, condition.clone()), depth + 1);
        while self.tokens.at_any(&["elsif", "elseif"]) {
            self.tokens.skip_to_any(&["then"]);
            self.tokens.next();
            self.list(&with(around, Guarding::Opaque), depth + 1);
        }
        if self.tokens.eat_word("else") {
            self.list(&with(around, Guarding::Opaque), depth + 1);
        }
        self.end("if");
    }

    /// Takes `END [word];`.
    fn end(&mut self, word: &str) {
        self.tokens.eat_word("end");
        if !word.is_empty() {
            self.tokens.eat_word(word);
        } else if self.tokens.at(TokenKind::Word) {
            // A block may repeat its label.
            self.tokens.next();
        }
        self.tokens.eat(TokenKind::Semicolon);
    }

    fn simple(&mut self, around: &[Guarding]) {
        let start = self.tokens.start();
        let mut end = start;
        while let Some(token) = self.tokens.peek() {
            if token.kind == TokenKind::Semicolon {
                break;
            }
            end = token.span.end;
            self.tokens.next();
        }
        let span = Span::new(start, end);
        let mut read = Statement::read(self.text, span, Dialect::Postgres);
        self.tokens.eat(TokenKind::Semicolon);
        read.end = self.tokens.end().max(end);
        read.nested = true;
        read.guards = around.to_vec();
        // PERFORM, RAISE, assignments, dynamic SQL: not to be judged.
        if read.head.verb == Verb::Execute {
            self.constant(span, around);
        }
        let is_sql = !matches!(read.head.verb, Verb::Other | Verb::Execute | Verb::Select | Verb::Do);
        if is_sql && !span.is_empty() {
            self.found.push(read);
        }
    }
}

impl Reader<'_, '_> {
    /// `EXECUTE 'one text'`: its statements are known as well.
    fn constant(&mut self, span: Span, around: &[Guarding]) {
        let mut tokens = Tokens::new(self.text, span, Dialect::Postgres);
        tokens.next();
        let Some(string) = tokens.next().filter(|token| token.kind.is_string()) else { return };
        let written = string.text(self.text);
        let quote = match string.kind {
            TokenKind::DollarString => written.get(1..).and_then(|rest| rest.find('$')).map_or(0, |at| at + 2),
            _ if written.starts_with('\'') && !written.contains("''") => 1,
            _ => 0,
        };
        if quote == 0 || tokens.peek().is_some() || written.len() < 2 * quote {
            return;
        }
        let inner = Span::new(string.span.start + quote, string.span.end - quote);
        let mut parts = Tokens::new(self.text, inner, Dialect::Postgres);
        while parts.peek().is_some() {
            let start = parts.start();
            let mut end = start;
            while let Some(token) = parts.peek().filter(|token| token.kind != TokenKind::Semicolon) {
                end = token.span.end;
                parts.next();
            }
            parts.eat(TokenKind::Semicolon);
            let mut read = Statement::read(self.text, Span::new(start, end), Dialect::Postgres);
            read.guards = around.to_vec();
            (read.nested, read.embedded) = (true, true);
            if !matches!(read.head.verb, Verb::Other | Verb::Execute | Verb::Select | Verb::Do) {
                self.found.push(read);
            }
        }
    }
}

fn with(around: &[Guarding], guard: Guarding) -> Vec<Guarding> {
    around.iter().cloned().chain([guard]).collect()
}
