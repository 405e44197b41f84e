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
    let mut reader = Reader { tokens: Tokens::new(text, inner, Dialect::Postgres), text, found, leaves: false };
    reader.list(outer, 0);
}

struct Reader<'a, 'f> {
    tokens: Tokens<'a>,
    text: &'a str,
    found: &'f mut Vec<Statement<'a>>,
    /// True once something may have left the block, or gone on with the next turn of its loop.
    leaves: bool,
}

/// Deeper than anybody nests blocks; beyond it nothing is read.
const DEEPEST: usize = 64;

impl Reader<'_, '_> {
    /// Reads statements up to the word that ends this list, which is left.
    fn list(&mut self, around: &[Guarding], depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let mut around = around.to_vec();
        while self.tokens.peek().is_some() {
            if self.tokens.at_any(&["end", "elsif", "elseif", "else", "exception", "when"]) {
                return;
            }
            let before = self.tokens.start();
            self.statement(&around, depth);
            // What stands behind `IF … THEN RETURN; END IF` runs where the condition lets it.
            if self.leaves && !around.contains(&Guarding::Opaque) {
                around.push(Guarding::Opaque);
            }
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
            let fixed = self.is_fixed_loop();
            self.tokens.skip_to_any(&["loop"]);
            self.tokens.next();
            let inside = if fixed { around.to_vec() } else { with(around, Guarding::Opaque) };
            self.list(&inside, depth + 1);
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

    /// `FOR i IN 1..3`, `FOREACH x IN ARRAY ARRAY['a', 'b']`: it runs as often on each run of the script.
    fn is_fixed_loop(&self) -> bool {
        let mut head = self.tokens;
        if head.eat_any(&["for", "foreach"]).is_none() || head.eat_name().is_none() {
            return false;
        }
        let known = ["in", "reverse", "by", "array", "text", "int", "integer"];
        head.take_while(|token| !token.is_word(self.text, "loop"))
            .all(|token| !token.kind.is_identifier() || known.iter().any(|word| token.is_word(self.text, word)))
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
                    if !token.is_word(self.text, "or") && !token.is_word(self.text, "sqlstate") {
                        caught.push(condition_name(token.text(self.text)));
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
        self.leaves |= self.tokens.at_any(&["return", "exit", "continue"]);
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

/// The name of a condition that an `EXCEPTION` clause may give as `SQLSTATE '42710'`; see "PostgreSQL Error Codes".
fn condition_name(written: &str) -> String {
    let known = match written {
        "'23505'" => "unique_violation",
        "'3F000'" => "invalid_schema_name",
        "'42701'" => "duplicate_column",
        "'42703'" => "undefined_column",
        "'42704'" => "undefined_object",
        "'42710'" => "duplicate_object",
        "'42723'" => "duplicate_function",
        "'42883'" => "undefined_function",
        "'42P01'" => "undefined_table",
        "'42P04'" => "duplicate_database",
        "'42P06'" => "duplicate_schema",
        "'42P07'" => "duplicate_table",
        "'42P16'" => "invalid_table_definition",
        other => return other.to_ascii_lowercase(),
    };
    known.to_owned()
}

fn with(around: &[Guarding], guard: Guarding) -> Vec<Guarding> {
    around.iter().cloned().chain([guard]).collect()
}
