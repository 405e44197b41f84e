//! The shape of a table, read from the tokens of its `CREATE TABLE` and of later `ALTER TABLE`s.

use crate::sql::{Dialect, Kind, Name, Span, TokenKind, Tokens};

/// What is known of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// The sets of columns that identify a row: primary key, unique constraints, unique indexes that are not partial.
    pub keys: Vec<Vec<String>>,
    /// Those of them in which NULL is a value like another one.
    pub null_keys: Vec<Vec<String>>,
    /// Keys of the rows that one column tells apart from the others.
    pub partial_keys: Vec<PartialKey>,
    /// Keys on expressions, or of rows that more than a column tells: something can conflict, but not by columns alone.
    pub other_keys: bool,
    /// The names of its constraints.
    pub constraints: Vec<String>,
    /// Its foreign keys.
    pub foreign: Vec<Foreign>,
    /// What a key says becomes of a second row of it. SQLite's.
    pub resolves: Option<Resolution>,
    /// True if its rows are in partitions.
    pub partitioned: bool,
    /// True if not all is known: made from a query, like another table, or inherited.
    pub partly_known: bool,
}

/// `ON CONFLICT …` behind a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// The row that is there goes.
    Replace,
    /// The new one does not come.
    Ignore,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The name that it was given.
    pub name: Option<String>,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that it refers to.
    pub table: Name,
    /// The columns there; `None` for the primary key.
    pub key: Option<Vec<String>>,
}

/// A unique index `(columns) WHERE column …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialKey {
    /// The columns that identify a row among those that are in it.
    pub columns: Vec<String>,
    /// The column that says whether a row is in it.
    pub column: String,
    /// What that column is in the rows that are.
    pub is: Part,
}

/// What a column is in the rows of a partial index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// NULL, or anything else.
    Null(bool),
    /// This literal.
    Value(String),
}

impl PartialKey {
    /// Reads what stands behind `WHERE`; `None` where more than one column, or more than a literal, is asked for.
    pub fn read(columns: Vec<String>, mut condition: Tokens<'_>) -> Option<Self> {
        let text = condition.text();
        if condition.at(TokenKind::OpenParen) {
            let list = condition.eat_parens().filter(|_| condition.peek().is_none())?;
            let inner = Span::new(list.start + 1, list.end.saturating_sub(1).max(list.start + 1));
            return Self::read(columns, Tokens::new(text, inner, condition.dialect()));
        }
        let negated = condition.eat_word("not");
        let column = condition.eat_name()?.0.object().to_owned();
        let value = |word: bool| Part::Value(word.to_string());
        let is = if condition.peek().is_none() {
            value(!negated)
        } else if negated {
            return None;
        } else if condition.eat_word("is") {
            let not = condition.eat_word("not");
            match condition.eat_any(&["null", "true", "false"])? {
                "null" => Part::Null(!not),
                word if !not => value(word == "true"),
                _ => return None,
            }
        } else if condition.eat_operator("=") {
            Part::Value(condition.next()?.text(text).to_lowercase())
        } else {
            return None;
        };
        condition.peek().is_none().then_some(Self { columns, column, is })
    }

    /// Whether a row with this value is in it; `None` where that cannot be seen.
    pub fn holds(&self, value: &str) -> Option<bool> {
        let value = value.trim().to_lowercase();
        let is_null = value == "null";
        let literal = is_null
            || value == "true"
            || value == "false"
            || value.starts_with('\'')
            || value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty();
        let same = |asked: &str| {
            // `true` is written in many ways.
            let plain = |text: &str| match text.trim_matches('\'') {
                "t" | "true" | "yes" | "on" | "1" => "1".to_owned(),
                "f" | "false" | "no" | "off" | "0" => "0".to_owned(),
                other => other.to_owned(),
            };
            plain(asked) == plain(&value)
        };
        literal.then(|| match &self.is {
            Part::Null(null) => *null == is_null,
            Part::Value(asked) => !is_null && same(asked),
        })
    }
}

/// A column as it was declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Type and constraints as one line of tokens, in lower case.
    pub definition: String,
}

impl Column {
    /// Its type as PostgreSQL's `format_type` writes it; `None` for what is not among the usual ones.
    pub fn formatted_type(&self) -> Option<String> {
        let mut words = self.definition.split(' ').peekable();
        let plain = match words.next()? {
            "varchar" => "character varying",
            "char" => "character",
            "int" | "int4" | "integer" | "serial" => "integer",
            "bigint" | "int8" | "bigserial" => "bigint",
            "smallint" | "int2" => "smallint",
            "bool" | "boolean" => "boolean",
            "timestamptz" => "timestamp with time zone",
            known @ ("text" | "uuid" | "jsonb" | "json" | "date" | "bytea") => known,
            _ => return None,
        };
        if words.next_if_eq(&"(").is_none() {
            return (words.peek() != Some(&"[")).then(|| plain.to_owned());
        }
        let length = words.next().filter(|length| length.bytes().all(|byte| byte.is_ascii_digit()))?;
        (plain.starts_with("char") && words.next() == Some(")")).then(|| format!("{plain}({length})"))
    }

    /// The literal, or NULL, that a row gets which brings no value for it; `None` for what is computed.
    pub fn default(&self) -> Option<&str> {
        let mut tokens = Tokens::of(&self.definition, Dialect::Postgres);
        let computed = ["generated", "serial", "bigserial", "smallserial", "primary"];
        if !tokens.skip_past("default") {
            let is_computed = tokens.any(|token| computed.iter().any(|word| token.is_word(&self.definition, word)));
            return (!is_computed).then_some("null");
        }
        let is_word = tokens.at_any(&["true", "false", "null"]);
        let token = tokens.next()?;
        let is_literal = is_word || token.kind.is_string() || token.kind == TokenKind::Number;
        is_literal.then(|| token.text(&self.definition))
    }

    /// Returns true if a row that brings no value for it gets another one each time.
    pub fn is_renewed(&self) -> bool {
        const CLOCK: &[&str] = &[
            "now",
            "current_timestamp",
            "clock_timestamp",
            "gen_random_uuid",
            "uuid_generate_v4",
            "nextval",
            "random",
            "randomblob",
            "'now'",
            "unixepoch",
        ];
        let words: Vec<&str> = self.definition.split(' ').collect();
        words.contains(&"default") && CLOCK.iter().any(|word| words.contains(word))
            || self.definition.contains("as identity")
            || self.type_word().contains("serial")
    }

    /// Returns its type's first word.
    pub fn type_word(&self) -> &str {
        self.definition.split(' ').next().unwrap_or_default()
    }

    /// Returns true if the database makes its values where a statement gives none.
    pub fn is_generated(&self, dialect: Dialect) -> bool {
        let has = |word: &str| self.definition.split(' ').any(|part| part == word);
        match dialect {
            Dialect::Postgres => {
                has("generated") || has("nextval") || self.type_word().contains("serial") || has("default")
            }
            Dialect::Sqlite => {
                has("autoincrement") || (self.type_word() == "integer" && has("primary")) || has("default")
            }
        }
    }
}

impl Shape {
    /// Reads what follows the name in a `CREATE TABLE`.
    pub fn read(mut tokens: Tokens<'_>) -> Self {
        let mut shape = Self::default();
        if !tokens.at(TokenKind::OpenParen) || tokens.has_words(&["partition", "of"]) {
            shape.partly_known = true;
            return shape;
        }
        let Some(list) = tokens.eat_parens() else { return shape };
        for item in items(tokens.text(), list, tokens.dialect()) {
            shape.item(Tokens::new(tokens.text(), item, tokens.dialect()));
        }
        shape.partitioned = tokens.has_words(&["partition", "by"]);
        shape.partly_known |= tokens.has_any(&["as", "inherits", "of"]);
        shape
    }

    /// Takes in a column or a table constraint.
    pub fn item(&mut self, tokens: Tokens<'_>) {
        if tokens.at_word("like") && tokens.dialect() == Dialect::Postgres {
            self.partly_known = true;
        } else if at_constraint(tokens) {
            self.constraint(tokens);
        } else {
            self.column(tokens);
        }
    }

    fn column(&mut self, mut tokens: Tokens<'_>) {
        let Some((name, _)) = tokens.eat_name() else { return };
        let name = name.object().to_owned();
        if tokens.has_words(&["primary", "key"]) || tokens.has_word("unique") {
            self.key(vec![name.clone()], tokens.has_words(&["nulls", "not", "distinct"]));
            self.resolves = self.resolves.or(resolution(tokens));
        }
        self.refer(tokens, None, vec![name.clone()]);
        self.columns.retain(|column| column.name != name);
        self.columns.push(Column { name, definition: flat(tokens) });
    }

    /// Takes in a table constraint.
    pub fn constraint(&mut self, mut tokens: Tokens<'_>) {
        let named = tokens.eat_word("constraint").then(|| tokens.eat_name()).flatten();
        let name = named.map(|(name, _)| name.object().to_owned());
        self.constraints.extend(name.clone());
        if tokens.eat_words(&["foreign", "key"]) {
            let columns = columns(&mut tokens).unwrap_or_default();
            self.refer(tokens, name, columns);
            return;
        }
        let is_key = tokens.eat_words(&["primary", "key"]) || tokens.eat_word("unique");
        self.other_keys |= tokens.at_word("exclude");
        if is_key {
            self.resolves = self.resolves.or(resolution(tokens));
            let has_nulls = tokens.eat_words(&["nulls", "not", "distinct"]);
            match columns(&mut tokens) {
                Some(columns) => self.key(columns, has_nulls),
                None => self.other_keys = true,
            }
        }
    }

    /// Takes in a key; `has_nulls`: one in which NULL is a value like another one.
    pub fn key(&mut self, columns: Vec<String>, has_nulls: bool) {
        self.null_keys.extend(has_nulls.then(|| columns.clone()));
        self.keys.push(columns);
    }

    /// Takes in a foreign key: `REFERENCES table (columns)`.
    fn refer(&mut self, mut tokens: Tokens<'_>, name: Option<String>, columns: Vec<String>) {
        let Some((table, _)) = tokens.skip_past("references").then(|| tokens.eat_name()).flatten() else { return };
        let key = tokens.at(TokenKind::OpenParen).then(|| self::columns(&mut tokens)).flatten();
        self.foreign.push(Foreign { name, columns, table, key });
    }

    /// Takes a constraint out by its name.
    pub fn drop_constraint(&mut self, table: &Name, name: &str) {
        self.constraints.retain(|known| known != name);
        self.foreign.retain(|foreign| match &foreign.name {
            Some(own) => own != name,
            None => format!("{}_{}_fkey", table.object(), foreign.columns.join("_")) != name,
        });
    }

    /// Returns the column of this name.
    pub fn column_named(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Changes a column's name.
    pub fn rename_column(&mut self, from: &str, to: &str) {
        for column in self.columns.iter_mut().filter(|column| column.name == from) {
            to.clone_into(&mut column.name);
        }
        let partial = self.partial_keys.iter_mut().flat_map(|key| key.columns.iter_mut().chain([&mut key.column]));
        let keys = self.keys.iter_mut().chain(&mut self.null_keys).flatten();
        for name in keys.chain(partial).filter(|name| *name == from) {
            to.clone_into(name);
        }
    }

    /// Takes a column out, and the keys that it was in.
    pub fn drop_column(&mut self, name: &str) {
        self.columns.retain(|column| column.name != name);
        self.foreign.retain(|foreign| !foreign.columns.iter().any(|column| column == name));
        self.keys.retain(|key| !key.iter().any(|column| column == name));
        self.partial_keys.retain(|key| key.column != name && !key.columns.iter().any(|column| column == name));
    }
}

fn resolution(key: Tokens<'_>) -> Option<Resolution> {
    let says = |word: &str| key.has_words(&["on", "conflict", word]);
    says("replace").then_some(Resolution::Replace).or(says("ignore").then_some(Resolution::Ignore))
}

/// The parts of a list in parentheses, cut at its commas.
pub fn items(text: &str, list: Span, dialect: Dialect) -> Vec<Span> {
    let inner = Span::new(list.start + 1, list.end.saturating_sub(1).max(list.start + 1));
    let mut tokens = Tokens::new(text, inner, dialect);
    let mut found = Vec::new();
    let mut start = tokens.start();
    let mut brackets = 0_usize;
    while let Some(token) = tokens.peek() {
        match token.kind {
            TokenKind::OpenBracket => brackets += 1,
            TokenKind::CloseBracket => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        match token.kind {
            TokenKind::Comma if brackets == 0 => {
                found.push(Span::new(start, tokens.end()));
                tokens.next();
                start = tokens.start();
            }
            TokenKind::OpenParen => {
                tokens.eat_parens();
            }
            _ => {
                tokens.next();
            }
        }
    }
    if tokens.end() > start {
        found.push(Span::new(start, tokens.end()));
    }
    found
}

/// Reads a list of plain columns in parentheses; `None` if something else stands in it.
pub fn columns(tokens: &mut Tokens<'_>) -> Option<Vec<String>> {
    let list = tokens.eat_parens()?;
    let read = |item: Span| {
        let mut tokens = Tokens::new(tokens.text(), item, tokens.dialect());
        let (name, _) = tokens.eat_name()?;
        tokens.eat_any(&["asc", "desc"]);
        tokens.eat_word("nulls");
        tokens.eat_any(&["first", "last"]);
        if tokens.eat_word("collate") {
            tokens.eat_name();
        }
        tokens.peek().is_none().then(|| name.object().to_owned())
    };
    items(tokens.text(), list, tokens.dialect()).into_iter().map(read).collect()
}

/// Whether a table constraint is next, named or not.
pub fn at_constraint(tokens: Tokens<'_>) -> bool {
    if tokens.at_word("constraint") {
        return true;
    }
    let mut ahead = tokens;
    let first = ahead.eat_any(&["primary", "foreign", "unique", "check", "exclude"]);
    match first {
        Some("primary" | "foreign") => ahead.at_word("key"),
        Some(_) => ahead.at(TokenKind::OpenParen) || ahead.at_any(&["using", "nulls"]),
        None => false,
    }
}

/// Tokens as one line, words in lower case: equal for two spellings of one thing.
pub fn flat(tokens: Tokens<'_>) -> String {
    let text = tokens.text();
    let mut line = String::new();
    for token in tokens {
        if !line.is_empty() {
            line.push(' ');
        }
        let written = token.text(text);
        let start = line.len();
        line.push_str(written);
        if token.kind == TokenKind::Word {
            line[start..].make_ascii_lowercase();
        }
    }
    line
}

/// The names that a statement drops, or a `TRUNCATE` empties.
pub fn names(mut tokens: Tokens<'_>) -> Vec<Name> {
    let mut found = Vec::new();
    loop {
        tokens.eat_word("only");
        let Some((name, _)) = tokens.eat_name() else { return found };
        found.push(name);
        tokens.eat_parens();
        if !tokens.eat(TokenKind::Comma) {
            return found;
        }
    }
}

/// Whether objects of two kinds share one space of names.
pub const fn is_relation(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Table
            | Kind::ForeignTable
            | Kind::VirtualTable
            | Kind::View
            | Kind::MaterializedView
            | Kind::Index
            | Kind::Sequence
    )
}
