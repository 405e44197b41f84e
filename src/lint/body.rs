//! The statements inside a `DO` block, with the tests and the exception clauses around them.
//!
//! PL/pgSQL is read as far as its block structure: `BEGIN`, `IF`, `LOOP`, `CASE`, `EXCEPTION`. What that does not
//! explain is opaque, and rules are silent about it.

use super::dynamic::{assigned, executed};
use super::insert::read_tables;
use super::statement::{Guarding, Statement};
use super::update;
use crate::sql::{ActionKind, Dialect, Lexed, Name, Span, Token, TokenKind, Tokens, Verb};

/// Adds the statements of a `DO` block. A body in another language has none.
pub(super) fn inside<'a>(lexed: &'a Lexed<'a>, span: Span, outer: &[Guarding], found: &mut Vec<Statement<'a>>) {
    let text = lexed.text;
    let tokens = lexed.part(span);
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
    let mut reader = Reader {
        tokens: Tokens::new(text, inner, Dialect::Postgres),
        text,
        lexed,
        found,
        body: inner,
        returned: Vec::new(),
        leaves: false,
        breaks: false,
    };
    reader.list(outer, 0);
}

struct Reader<'a, 'f> {
    tokens: Tokens<'a>,
    text: &'a str,
    lexed: &'a Lexed<'a>,
    found: &'f mut Vec<Statement<'a>>,
    /// The whole body.
    body: Span,
    /// What let the block go on, where an `IF` just returned from it.
    returned: Vec<Guarding>,
    /// True once something may have left the block.
    leaves: bool,
    /// True once something may have left the loop, or gone on with its next turn.
    breaks: bool,
}

/// What the turns of a loop depend on.
enum Turns {
    /// On numbers and variables: they are as many on each run.
    Counted,
    /// On the rows of these tables.
    OfRows(Vec<Name>),
    /// On what a catalog has.
    OfCatalog,
    /// On what cannot be judged.
    Unknown,
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
            let new: Vec<Guarding> = self.returned.iter().filter(|guard| !around.contains(guard)).cloned().collect();
            around.extend(new);
            if (self.leaves || self.breaks) && !around.contains(&Guarding::Opaque) {
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
            self.turning(around, depth);
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

    /// What a loop's turns depend on.
    fn turns(&self) -> Turns {
        let is = |token: &Token, words: &[&str]| words.iter().any(|word| token.is_word(self.text, word));
        let mut head = self.tokens;
        let is_while = head.at_word("while");
        if head.eat_any(&["for", "foreach", "while", "loop"]) == Some("loop") {
            return Turns::Counted;
        }
        let start = head.start();
        let head: Vec<Token> = head.take_while(|token| !is(token, &["loop"])).collect();
        let span = Span::new(start, head.last().map_or(start, |token| token.span.end));
        let has = |words: &[&str]| head.iter().any(|token| is(token, words));
        let queries = has(&["select", "execute", "with"]);
        if is_while {
            return if queries || has(&["exists", "found"]) { Turns::Unknown } else { Turns::Counted };
        }
        if queries {
            // What is there no longer, or not yet, ends it: the rows that are left, what a catalog still has.
            let asks = has(&["not", "null", "except", "false", "limit"])
                || head
                    .iter()
                    .any(|token| token.kind == TokenKind::Operator && ["<>", "!="].contains(&token.text(self.text)));
            let catalog = head.iter().any(|token| {
                let word = token.text(self.text).to_ascii_lowercase();
                word.starts_with("pg_") || word == "information_schema"
            });
            return match (asks, catalog) {
                (true, _) => Turns::Unknown,
                (false, true) => Turns::OfCatalog,
                (false, false) => Turns::OfRows(read_tables(Tokens::new(self.text, span, Dialect::Postgres))),
            };
        }
        // `FOR i IN 1..3`, `FOREACH x IN ARRAY ARRAY['a', 'b']`: it runs as often on each run of the script.
        let known = ["in", "reverse", "by", "array", "text", "int", "integer"];
        let fixed = head.iter().skip(1).all(|token| !token.kind.is_identifier() || is(token, &known));
        let whole = Tokens::new(self.text, self.body, Dialect::Postgres);
        let selects = || {
            let mut tokens = whole;
            tokens.any(|token| is(&token, &["select", "found"]))
        };
        if fixed || !selects() { Turns::Counted } else { Turns::Unknown }
    }

    /// The names in the conditions of a loop's query.
    fn asked_for(&self, head: Span) -> Vec<String> {
        let mut tokens = Tokens::new(self.text, head, Dialect::Postgres);
        if !tokens.any(|token| ["where", "join", "having"].iter().any(|word| token.is_word(self.text, word))) {
            return Vec::new();
        }
        let mut found = Vec::new();
        while tokens.peek().is_some() {
            match tokens.eat_name() {
                Some((name, _)) => found.push(name.object().to_owned()),
                None => _ = tokens.next(),
            }
        }
        found
    }

    /// Reads a loop. Its statements run as often as it turns.
    fn turning(&mut self, around: &[Guarding], depth: usize) {
        let turns = self.turns();
        let start = self.tokens.start();
        self.tokens.skip_to_any(&["loop"]);
        let head = Span::new(start, self.tokens.end());
        self.tokens.next();
        let from = self.found.len();
        let outer = std::mem::take(&mut self.breaks);
        let inside = if matches!(turns, Turns::Unknown) { with(around, Guarding::Opaque) } else { around.to_vec() };
        self.list(&inside, depth + 1);
        // `EXIT WHEN NOT FOUND`: it turns until nothing is left to do.
        let until_done = std::mem::replace(&mut self.breaks, outer) && matches!(turns, Turns::Counted);
        self.end("loop");
        // The loop ends where the rows that it reads are gone, or are no longer those that it asks for.
        let asked = self.asked_for(head);
        let changes = |statement: &Statement<'_>, tables: &[Name]| {
            let names_it = |name: &Name| tables.iter().any(|table| table.matches(name));
            let takes = match statement.head.verb {
                Verb::Delete | Verb::Truncate | Verb::Drop => true,
                Verb::Update => {
                    let assignments = update::read(statement).assignments;
                    assignments.iter().any(|assignment| asked.contains(&assignment.column))
                }
                Verb::Insert => !asked.is_empty(),
                _ => false,
            };
            takes && statement.head.name.as_ref().is_some_and(names_it)
        };
        let takes = |statement: &Statement<'_>| {
            let takes = |kind: ActionKind| {
                matches!(
                    kind,
                    ActionKind::DropColumn
                        | ActionKind::DropConstraint
                        | ActionKind::AlterColumn
                        | ActionKind::Rename
                        | ActionKind::RenameColumn
                        | ActionKind::RenameConstraint
                        | ActionKind::SetSchema
                )
            };
            statement.head.verb == Verb::Drop || statement.actions.iter().any(|action| takes(action.kind))
        };
        let ends = match &turns {
            Turns::OfRows(tables) => self.found[from..].iter().any(|statement| changes(statement, tables)),
            Turns::OfCatalog => self.found[from..].iter().any(takes),
            Turns::Counted | Turns::Unknown => until_done,
        };
        for statement in &mut self.found[from..] {
            statement.repeats = true;
            if ends {
                statement.guards.push(Guarding::Opaque);
            }
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
        let asked = Span::new(start, self.tokens.end());
        let condition = Guarding::Condition(asked);
        self.tokens.next();
        let mut returns = self.tokens;
        if returns.eat_word("return") && returns.eat(TokenKind::Semicolon) && returns.eat_words(&["end", "if"]) {
            returns.eat(TokenKind::Semicolon);
            self.tokens = returns;
            self.returned.push(Guarding::Unless(asked));
            return;
        }
        self.list(&with(around, condition), depth + 1);
        // What stands in a branch runs where those in front did not.
        let mut around = with(around, Guarding::Unless(asked));
        while self.tokens.eat_any(&["elsif", "elseif"]).is_some() {
            let start = self.tokens.start();
            self.tokens.skip_to_any(&["then"]);
            let asked = Span::new(start, self.tokens.end());
            self.tokens.next();
            self.list(&with(&around, Guarding::Condition(asked)), depth + 1);
            around.push(Guarding::Unless(asked));
        }
        if self.tokens.eat_word("else") {
            self.list(&around, depth + 1);
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
        self.leaves |= self.tokens.at_word("return");
        self.breaks |= self.breaks_here();
        let mut end = start;
        while let Some(token) = self.tokens.peek() {
            if token.kind == TokenKind::Semicolon {
                break;
            }
            end = token.span.end;
            self.tokens.next();
        }
        let span = Span::new(start, end);
        let mut read = Statement::read(self.lexed, span);
        self.tokens.eat(TokenKind::Semicolon);
        read.end = self.tokens.end().max(end);
        read.nested = true;
        read.guards = around.to_vec();
        // PERFORM, RAISE, assignments, dynamic SQL: not to be judged.
        if read.head.verb == Verb::Execute {
            self.found.extend(executed(self.lexed, span, around));
        } else if read.head.verb == Verb::Other
            && let Some(span) = assigned(self.text, span, self.body)
        {
            self.found.extend(executed(self.lexed, span, around));
        }
        let is_sql = !matches!(read.head.verb, Verb::Other | Verb::Execute | Verb::Select | Verb::Do);
        if is_sql && !span.is_empty() {
            self.found.push(read);
        }
    }
}

impl Reader<'_, '_> {
    /// `EXIT WHEN NOT FOUND`, `CONTINUE`: what comes behind runs where the rows let it. `EXIT WHEN i > 3` only counts.
    fn breaks_here(&self) -> bool {
        let mut tokens = self.tokens;
        if !tokens.eat_word("exit") {
            return tokens.at_word("continue");
        }
        let asks = |token: Token| {
            let words = ["found", "select", "exists", "null", "row_count"];
            words.iter().any(|word| token.is_word(self.text, word))
        };
        let condition = tokens.take_while(|token| token.kind != TokenKind::Semicolon).any(asks);
        let counts_rows =
            Tokens::new(self.text, self.body, Dialect::Postgres).any(|token| token.is_word(self.text, "row_count"));
        condition || counts_rows || !tokens.at_word("when")
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
