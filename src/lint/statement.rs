//! Statements as rules see them: those of the script and those inside `DO` blocks, each with what guards it.

use crate::script::{Directive, Guard, body as directive_body};
use crate::sql::{self, Action, Dialect, Head, Lexed, Lexer, Span, TokenKind, Tokens, Verb};

/// A statement with its head, its actions and its guards.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    /// From its first token to its last.
    pub span: Span,
    /// The end of what ends it: its semicolon, or its last token.
    pub end: usize,
    /// The script that it stands in.
    pub text: &'a str,
    /// The script and its tokens.
    pub lexed: &'a Lexed<'a>,
    /// The grammar.
    pub dialect: Dialect,
    /// Verb, kind, name, guard clauses.
    pub head: Head,
    /// What an `ALTER` does; empty for other verbs.
    pub actions: Vec<Action>,
    /// What stands around it and decides whether it runs.
    pub guards: Vec<Guarding>,
    /// True for a statement inside a `DO` block.
    pub nested: bool,
    /// True for one inside a query or a string: nothing can be put around it.
    pub embedded: bool,
    /// True for one inside a loop, which may run it more than once.
    pub repeats: bool,
    /// The place behind the lines of data of a `COPY`.
    pub has_data: bool,
    /// What the parser thinks of it, once a rule has asked.
    pub(super) agrees: std::cell::OnceCell<bool>,
}

/// Something around a statement that decides whether it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guarding {
    /// A guard directive.
    Directive(Guard),
    /// The condition of an `IF` in a `DO` block.
    Condition(Span),
    /// A condition that is not true: of an `IF … THEN RETURN` in front of it, of an `IF` that it is the `ELSE` of.
    Unless(Span),
    /// Conditions that an `EXCEPTION` clause catches.
    Caught(Vec<String>),
    /// A loop, or something else that cannot be judged.
    Opaque,
}

impl<'a> Statement<'a> {
    /// Reads a statement of a script.
    pub fn read(lexed: &'a Lexed<'a>, span: Span) -> Self {
        let tokens = lexed.part(span);
        let head = Head::of(tokens);
        let actions = if head.verb == Verb::Alter { sql::actions(tokens) } else { Vec::new() };
        let end = span.end;
        Self {
            span,
            end,
            text: lexed.text,
            lexed,
            dialect: lexed.dialect,
            head,
            actions,
            guards: Vec::new(),
            nested: false,
            embedded: false,
            repeats: false,
            has_data: false,
            agrees: std::cell::OnceCell::new(),
        }
    }

    /// Returns its significant tokens.
    pub fn tokens(&self) -> Tokens<'a> {
        self.lexed.part(self.span)
    }

    /// Returns its tokens behind the name.
    pub fn tokens_behind_name(&self) -> Tokens<'a> {
        let mut tokens = self.tokens();
        Head::read(&mut tokens);
        tokens
    }

    /// Returns where its verb, kind and name stand: what a finding about the whole points at.
    pub fn head_span(&self) -> Span {
        let end = self.head.name_span.or(self.head.kind_span).map_or(self.head.verb_span.end, |span| span.end);
        Span::new(self.span.start, end.max(self.head.verb_span.end))
    }

    /// Returns the tokens of a part of it.
    pub fn part(&self, span: Span) -> Tokens<'a> {
        self.lexed.part(span)
    }

    /// Returns true if a directive, a condition or something opaque decides whether it runs.
    pub fn is_guarded(&self) -> bool {
        self.guards.iter().any(|guard| !matches!(guard, Guarding::Caught(_)))
    }

    /// Returns the conditions that are caught around it; `None` if there is no such clause.
    pub fn caught(&self) -> Option<Vec<&str>> {
        let mut found = None;
        for guard in &self.guards {
            if let Guarding::Caught(conditions) = guard {
                found.get_or_insert_with(Vec::new).extend(conditions.iter().map(String::as_str));
            }
        }
        found
    }

    /// Returns true if one of these conditions is caught, or all of them are.
    pub fn catches(&self, conditions: &[&str]) -> bool {
        self.caught().is_some_and(|caught| {
            caught.contains(&"others") || conditions.iter().any(|condition| caught.contains(condition))
        })
    }

    /// Returns true if these words follow each other outside parentheses.
    pub fn has_words(&self, words: &[&str]) -> bool {
        self.find_words(words).is_some()
    }

    /// Returns where these words follow each other outside parentheses.
    pub fn find_words(&self, words: &[&str]) -> Option<Span> {
        let mut tokens = self.tokens();
        let first = [*words.first()?];
        while tokens.skip_to_any(&first) {
            let start = tokens.start();
            if tokens.eat_words(words) {
                return Some(Span::new(start, tokens.end()));
            }
            tokens.next();
        }
        None
    }
}

/// The statements of a script, those inside `DO` blocks behind their block.
pub fn statements<'a>(lexed: &'a Lexed<'a>) -> Vec<Statement<'a>> {
    let (text, dialect) = (lexed.text, lexed.dialect);
    let mut found = Vec::new();
    let mut group: Option<Guard> = None;
    let mut next: Vec<Guard> = Vec::new();
    let has_directives = text.contains("dbbuild:");
    let mut has_blocks = false;
    for statement in sql::Statements::new(text, dialect).flatten() {
        if has_directives {
            for directive in directives_in(text, statement.lead, dialect) {
                match directive {
                    Directive::Guard(guard) if guard.group => group = Some(guard),
                    Directive::Guard(guard) => next.push(guard),
                    Directive::End => group = None,
                    _ => {}
                }
            }
        }
        let mut read = Statement::read(lexed, statement.span);
        read.end = if statement.terminated { semicolon(text, statement.span, dialect) } else { statement.span.end };
        read.has_data = statement.copy_data.is_some();
        let guards = group.iter().cloned().chain(std::mem::take(&mut next));
        read.guards = guards.map(Guarding::Directive).collect();
        let outer = read.guards.clone();
        let is_do = read.head.verb == Verb::Do;
        let in_query = written_in_query(&read);
        found.push(read);
        found.extend(in_query);
        if is_do {
            super::body::inside(lexed, statement.span, &outer, &mut found);
            has_blocks = true;
        }
        if has_directives && directives_in(text, statement.tail, dialect).contains(&Directive::End) {
            group = None;
        }
    }
    if has_blocks {
        super::lasting::let_through(text, &mut found);
    }
    if has_directives {
        super::lasting::let_directives_through(&mut found);
    }
    in_memory(&mut found);
    found
}

/// `ATTACH ':memory:' AS m`: what stands in it is gone with the connection.
fn in_memory(statements: &mut [Statement<'_>]) {
    let attached = statements.iter().filter(|statement| statement.head.verb == Verb::Attach).filter_map(|statement| {
        let file = statement.tokens().find(|token| token.kind.is_string())?;
        let is_memory = ["':memory:'", "''"].contains(&file.text(statement.text));
        statement.tokens().last().filter(|_| is_memory).map(|token| token.text(statement.text).to_owned())
    });
    let names: Vec<String> = attached.collect();
    for statement in statements.iter_mut().filter(|_| !names.is_empty()) {
        let schema = statement.head.name.as_ref().and_then(crate::sql::Name::schema);
        if schema.is_some_and(|schema| names.iter().any(|name| name.eq_ignore_ascii_case(schema))) {
            statement.guards.push(Guarding::Opaque);
        }
    }
}

/// `WITH x AS (INSERT …) SELECT …`: what a query writes on its way.
fn written_in_query<'a>(outer: &Statement<'a>) -> Vec<Statement<'a>> {
    let mut found = Vec::new();
    let mut tokens = outer.tokens();
    if outer.dialect == Dialect::Sqlite || !tokens.eat_word("with") {
        return found;
    }
    tokens.eat_word("recursive");
    while tokens.eat_name().is_some() {
        tokens.eat_parens();
        tokens.eat_word("as");
        tokens.eat_word("not");
        tokens.eat_word("materialized");
        let Some(part) = tokens.eat_parens() else { break };
        let mut inner = outer.part(Span::new(part.start + 1, part.end.saturating_sub(1).max(part.start + 1)));
        if inner.at_any(&["insert", "update", "delete", "merge"]) {
            let start = inner.start();
            while inner.next().is_some() {}
            let mut read = Statement::read(outer.lexed, Span::new(start, inner.end()));
            read.guards.clone_from(&outer.guards);
            (read.nested, read.embedded) = (true, true);
            found.push(read);
        }
        if !tokens.eat(TokenKind::Comma) {
            break;
        }
    }
    found
}

fn semicolon(text: &str, span: Span, dialect: Dialect) -> usize {
    let rest = Lexer::part(text, Span::new(span.end, text.len()), dialect).map_while(Result::ok);
    let mut ends = rest.filter(|token| token.kind == TokenKind::Semicolon);
    ends.next().map_or(span.end, |token| token.span.end)
}

fn directives_in(text: &str, span: Span, dialect: Dialect) -> Vec<Directive> {
    if !span.text(text).contains("dbbuild:") {
        return Vec::new();
    }
    let tokens = Lexer::part(text, span, dialect).map_while(Result::ok);
    let comments = tokens.filter(|token| token.kind == TokenKind::LineComment);
    comments
        .filter_map(|token| directive_body(token.span.text(text)))
        .filter_map(|text| Directive::parse(text).ok())
        .collect()
}
