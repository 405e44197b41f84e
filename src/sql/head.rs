//! What a statement is, read from its first tokens.
//!
//! Verb, kind, guards and name stand at the head of nearly every statement, so
//! they are known even where a statement as a whole is too new for any parser.
//! Build and lint share this one reading. It never fails: what is not there is
//! `None` or false.

use super::{Dialect, Kind, Name, Span, TokenKind, Tokens, Verb};

/// The head of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What it does.
    pub verb: Verb,
    /// The verb's keyword.
    pub verb_span: Span,
    /// The kind of object that it is about.
    pub kind: Option<Kind>,
    /// The words of the kind.
    pub kind_span: Option<Span>,
    /// `OR REPLACE` (in SQLite also `INSERT OR REPLACE`).
    pub or_replace: bool,
    /// SQLite's `INSERT OR IGNORE` and `UPDATE OR IGNORE`.
    pub or_ignore: bool,
    /// `TEMP` or `TEMPORARY`, or a name in the schema `pg_temp` (SQLite: `temp`).
    pub temporary: bool,
    /// `UNLOGGED`.
    pub unlogged: bool,
    /// `UNIQUE`.
    pub unique: bool,
    /// The `CONSTRAINT` of a constraint trigger.
    pub constraint: bool,
    /// `CONCURRENTLY`.
    pub concurrently: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `IF EXISTS`.
    pub if_exists: bool,
    /// The object's name; the first one of several.
    pub name: Option<Name>,
    /// Where the name stands.
    pub name_span: Option<Span>,
    /// The table that an index, trigger, policy, rule or constraint is on.
    pub table: Option<Name>,
    /// Where `or replace` would go, with a space in front: behind `CREATE`.
    /// A constraint trigger has no such form.
    pub replace_slot: usize,
    /// Where `if exists` or `if not exists` would go, with a space behind: in
    /// front of the name (or of what stands in its place).
    pub guard_slot: usize,
}

impl Head {
    /// Reads the head of a statement.
    #[must_use]
    pub fn of(mut tokens: Tokens<'_>) -> Self {
        Self::read(&mut tokens)
    }

    /// Reads the head and leaves the tokens behind the object's name.
    pub fn read(tokens: &mut Tokens<'_>) -> Self {
        let mut ahead = *tokens;
        let verb = Verb::read(&mut ahead);
        let verb_start = if verb == Verb::Other { tokens.start() } else { last_start(tokens, &ahead) };
        let mut head = Self::empty(verb, Span::new(verb_start, ahead.end()));
        *tokens = ahead;
        match verb {
            Verb::Create => head.read_create(tokens),
            Verb::Alter | Verb::Drop | Verb::Refresh => head.read_object(tokens),
            Verb::Comment | Verb::Security => {
                tokens.skip_to_any(&["on"]);
                tokens.eat_word("on");
                head.read_object(tokens);
            }
            Verb::Reindex | Verb::Reassign | Verb::Import => {
                tokens.eat_parens();
                head.read_object(tokens);
            }
            _ => head.read_target(tokens),
        }
        head
    }

    const fn empty(verb: Verb, verb_span: Span) -> Self {
        Self {
            verb,
            verb_span,
            kind: None,
            kind_span: None,
            or_replace: false,
            or_ignore: false,
            temporary: false,
            unlogged: false,
            unique: false,
            constraint: false,
            concurrently: false,
            if_not_exists: false,
            if_exists: false,
            name: None,
            name_span: None,
            table: None,
            replace_slot: verb_span.end,
            guard_slot: verb_span.end,
        }
    }

    /// Whether it creates an object of this kind.
    #[must_use]
    pub fn creates(&self, kind: Kind) -> bool {
        self.verb == Verb::Create && self.kind == Some(kind)
    }

    /// The object's name with its schema, where the text has one: an index is in its table's.
    #[must_use]
    pub fn full_name(&self) -> Option<Name> {
        let name = self.name.as_ref()?;
        match self.table.as_ref().and_then(Name::schema) {
            Some(schema) if self.kind == Some(Kind::Index) && !name.is_qualified() => {
                Some(Name::new([schema, name.object()]))
            }
            _ => Some(name.clone()),
        }
    }

    /// Whether a guard clause stands in it.
    #[must_use]
    pub const fn is_guarded(&self) -> bool {
        self.or_replace || self.if_not_exists || self.if_exists
    }

    fn read_create(&mut self, tokens: &mut Tokens<'_>) {
        self.or_replace = tokens.eat_words(&["or", "replace"]);
        loop {
            let flag = match () {
                () if tokens.eat_any(&["temp", "temporary"]).is_some() => &mut self.temporary,
                () if tokens.eat_word("unlogged") => &mut self.unlogged,
                () if tokens.eat_word("unique") => &mut self.unique,
                () if tokens.eat_word("constraint") => &mut self.constraint,
                () if tokens
                    .eat_any(&["global", "local", "recursive", "trusted", "procedural", "default"])
                    .is_some() =>
                {
                    continue;
                }
                () => break,
            };
            *flag = true;
        }
        self.read_object(tokens);
    }

    /// From the kind's words to the name and the table.
    fn read_object(&mut self, tokens: &mut Tokens<'_>) {
        let start = tokens.start();
        self.kind = Kind::read(tokens);
        let Some(kind) = self.kind else {
            self.guard_slot = tokens.start();
            return;
        };
        self.kind_span = Some(Span::new(start, tokens.end()));
        self.read_guards(tokens);
        if self.verb == Verb::Alter || self.verb == Verb::Comment {
            tokens.eat_word("only");
        }
        self.read_name(kind, tokens);
        self.read_table(kind, *tokens);
    }

    fn read_guards(&mut self, tokens: &mut Tokens<'_>) {
        self.concurrently = tokens.eat_word("concurrently");
        self.guard_slot = tokens.start();
        self.if_not_exists = tokens.eat_words(&["if", "not", "exists"]);
        self.if_exists = !self.if_not_exists && tokens.eat_words(&["if", "exists"]);
    }

    fn read_name(&mut self, kind: Kind, tokens: &mut Tokens<'_>) {
        let nameless = match kind {
            Kind::Cast | Kind::UserMapping | Kind::Transform | Kind::DefaultPrivileges | Kind::Owned => true,
            // `CREATE INDEX ON t`, `CREATE STATISTICS ON a, b FROM t`.
            Kind::Index | Kind::Statistics => tokens.at_word("on"),
            Kind::Schema => tokens.at_word("authorization"),
            Kind::System => true,
            _ => false,
        };
        if nameless {
            return;
        }
        let name = if kind == Kind::Operator { operator_name(tokens) } else { tokens.eat_name() };
        self.take_name(name, tokens.dialect());
    }

    fn take_name(&mut self, found: Option<(Name, Span)>, dialect: Dialect) {
        let Some((name, span)) = found else { return };
        let temporary_schema = match dialect {
            Dialect::Postgres => "pg_temp",
            Dialect::Sqlite => "temp",
        };
        self.temporary |= name.schema().is_some_and(|schema| schema == temporary_schema);
        self.name = Some(name);
        self.name_span = Some(span);
    }

    fn read_table(&mut self, kind: Kind, mut tokens: Tokens<'_>) {
        let before = match kind {
            Kind::Index if self.verb == Verb::Create => tokens.eat_word("on"),
            Kind::Policy | Kind::Constraint => tokens.eat_word("on"),
            Kind::Trigger => tokens.skip_to_any(&["on"]) && tokens.eat_word("on"),
            Kind::Rule if self.verb == Verb::Create => tokens.skip_to_any(&["to"]) && tokens.eat_word("to"),
            Kind::Rule => tokens.eat_word("on"),
            Kind::Statistics => tokens.skip_to_any(&["from"]) && tokens.eat_word("from"),
            _ => false,
        };
        if before {
            tokens.eat_any(&["only", "domain"]);
            self.table = tokens.eat_name().map(|(name, _)| name);
        }
    }

    /// The object of a verb that names no kind: a table, mostly.
    fn read_target(&mut self, tokens: &mut Tokens<'_>) {
        match self.verb {
            Verb::Insert | Verb::Update | Verb::Replace | Verb::Merge | Verb::Delete => {
                if tokens.eat_word("or") {
                    self.or_replace = tokens.at_word("replace");
                    self.or_ignore = tokens.at_word("ignore");
                    tokens.next();
                }
                tokens.eat_any(&["into", "from"]);
            }
            Verb::Truncate | Verb::Lock => {
                tokens.eat_word("table");
            }
            Verb::Analyze | Verb::Cluster | Verb::Vacuum => {
                tokens.eat_parens();
                while tokens.eat_any(&["full", "freeze", "verbose", "analyze"]).is_some() {}
            }
            Verb::Copy => {
                tokens.eat_word("binary");
            }
            Verb::Call | Verb::Pragma => {}
            _ => return,
        }
        tokens.eat_word("only");
        self.guard_slot = tokens.start();
        let name = tokens.eat_name();
        self.take_name(name, tokens.dialect());
        if !matches!(self.verb, Verb::Call | Verb::Pragma) && self.name.is_some() {
            self.kind = Some(Kind::Table);
        }
    }
}

/// Where the last token between `from` and `to` begins.
fn last_start(from: &Tokens<'_>, to: &Tokens<'_>) -> usize {
    let taken = (*from).take_while(|token| token.span.end <= to.end());
    taken.last().map_or(from.start(), |token| token.span.start)
}

/// `schema.===`: a name whose last part is an operator.
fn operator_name(tokens: &mut Tokens<'_>) -> Option<(Name, Span)> {
    let mut ahead = *tokens;
    let mut parts = Vec::new();
    let start = ahead.start();
    while ahead.peek().is_some_and(|token| token.kind.is_identifier()) {
        let part = ahead.next()?;
        parts.extend_from_slice(Name::part(part.text(ahead.text()), part.kind, ahead.dialect()).parts());
        ahead.eat(TokenKind::Dot);
    }
    let operator = ahead.next().filter(|token| token.kind == TokenKind::Operator)?;
    parts.push(operator.text(ahead.text()).to_owned());
    *tokens = ahead;
    Some((Name::new(parts), Span::new(start, operator.span.end)))
}

#[cfg(test)]
mod tests;
