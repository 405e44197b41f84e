//! Conditions of `IF`s that are as true behind the script as before it, so that they guard nothing.
//!
//! `IF EXISTS (…)`, `to_regclass(…) IS NOT NULL`, `count(*) > 0`: what only asks whether something is there, and what
//! is neither dropped, renamed nor changed behind the question; in its `ELSE`, what is not there and is not made. What is
//! not one of these is taken for a guard.

use super::dynamic::assigns;
use super::facts::dropped;
use super::generated;
use super::insert::read_tables;
use super::statement::{Guarding, Statement};
use crate::script::{Guard, RunIf, Test};
use crate::sql::{ActionKind, Dialect, Kind, Name, Span, TokenKind, Tokens, Verb};

/// More conditions than anybody writes into a script by hand; beyond it all are taken for guards.
const MOST: usize = 500;

/// Takes the conditions that last away from the statements that they stand around.
pub(super) fn let_through(text: &str, statements: &mut [Statement<'_>]) {
    let mut conditions: Vec<(Span, bool)> = Vec::new();
    for guard in statements.iter().filter(|statement| statement.nested).flat_map(|statement| &statement.guards) {
        if let Some(condition) = asked(guard)
            && !conditions.contains(&condition)
        {
            conditions.push(condition);
        }
    }
    if conditions.len() > MOST {
        return;
    }
    conditions.retain(|(condition, negated)| lasts(text, *condition, *negated, statements));
    for statement in statements.iter_mut().filter(|_| !conditions.is_empty()) {
        statement.guards.retain(|guard| !asked(guard).is_some_and(|asked| conditions.contains(&asked)));
    }
}

/// Takes away the directives whose query asks for rows that the script neither makes nor takes, from the statement on.
pub(super) fn let_directives_through(statements: &mut [Statement<'_>]) {
    // What a function or a block does is not known here.
    let calls = |statement: &Statement<'_>| matches!(statement.head.verb, Verb::Select | Verb::Call | Verb::Do);
    if statements.iter().any(calls) {
        return;
    }
    let of_rows = |guard: &Guarding| {
        let Guarding::Directive(Guard { test: Test::Query(query), run, .. }) = guard else { return None };
        let tables = read_tables(Tokens::of(query, Dialect::Postgres));
        let is_catalog = |table: &Name| {
            let prefixes = ["pg_", "sqlite_", "pragma_"];
            prefixes.iter().any(|prefix| table.object().starts_with(prefix))
                || table.schema() == Some("information_schema")
        };
        let asks = !tables.is_empty() && !tables.iter().any(is_catalog);
        let negative = Tokens::of(query, Dialect::Postgres).any(|token| token.is_word(query, "not"));
        asks.then_some((tables, *run == RunIf::Absent || negative))
    };
    let mut lasting = Vec::new();
    for (at, statement) in statements.iter().enumerate() {
        for guard in &statement.guards {
            let Some((tables, fills)) = of_rows(guard) else { continue };
            let touches = |other: &Statement<'_>| {
                let makes = matches!(other.head.verb, Verb::Create | Verb::Alter)
                    && other.head.name.as_ref().is_some_and(|name| tables.iter().any(|table| table.matches(name)));
                makes || changes(other, &tables, fills)
            };
            if !statements[at..].iter().any(touches) {
                lasting.push(guard.clone());
            }
        }
    }
    for statement in statements.iter_mut().filter(|_| !lasting.is_empty()) {
        statement.guards.retain(|guard| !lasting.contains(guard));
    }
}

/// What a guard asks, and whether it asks for the contrary.
const fn asked(guard: &Guarding) -> Option<(Span, bool)> {
    match guard {
        Guarding::Condition(span) => Some((*span, false)),
        Guarding::Unless(span) => Some((*span, true)),
        Guarding::Directive(_) | Guarding::Caught(_) | Guarding::Opaque => None,
    }
}

/// What a condition asks to be there.
enum Asked {
    /// A table or the like, by name.
    Relation(String),
    /// A row of a query.
    Row(Span),
}

impl Asked {
    /// Whether rows are asked for, and not a catalog.
    fn is_of_rows(&self, text: &str) -> bool {
        matches!(self, Self::Row(query) if !is_of_catalog(text, *query))
    }
}

fn lasts(text: &str, condition: Span, negated: bool, statements: &[Statement<'_>]) -> bool {
    let around = statements.iter().find(|statement| {
        !statement.nested && statement.span.start <= condition.start && condition.end <= statement.span.end
    });
    let body = around.and_then(|block| block.tokens().find(|token| token.kind == TokenKind::DollarString));
    if !negated && body.is_some_and(|body| asks_server(text, body.span, condition)) {
        return true;
    }
    let (mut there, mut away) = (Vec::new(), Vec::new());
    let tokens = Tokens::new(text, condition, Dialect::Postgres);
    let read = match negated {
        // What a catalog is asked for in vain another rule compares with what is made.
        false if tokens.at_word("not") => {
            contrary(tokens, &mut away).filter(|()| away.iter().all(|asked| asked.is_of_rows(text)))
        }
        false => terms(tokens, &mut there),
        true if tokens.at_word("not") || tokens.has_words(&["is", "null"]) => contrary(tokens, &mut there),
        // The branch for another server is not judged.
        true => terms(tokens, &mut away).filter(|()| !away.is_empty()),
    };
    if read.is_none() {
        return false;
    }
    let own = |statement: &&Statement<'_>| statement.span.start > condition.start;
    let behind: Vec<&Statement<'_>> = statements.iter().filter(own).collect();
    // What a function does is not known here, nor is what a text says that is put together.
    let knows_all = body.is_some_and(|body| {
        let inner = Span::new(condition.end, body.span.end.saturating_sub(2).max(condition.end));
        let calls = |word: &str| Tokens::new(text, inner, Dialect::Postgres).filter(|t| t.is_word(text, word)).count();
        let read = behind.iter().filter(|statement| statement.embedded && statement.span.end <= inner.end).count();
        calls("perform") + calls("call") == 0 && calls("execute") <= read
    });
    knows_all
        && there.iter().all(|asked| !falsified(text, asked, &behind))
        && away.iter().all(|asked| !is_made(text, asked, &behind))
}

/// Reads a condition that only asks whether things are there; `None` for another one.
fn terms(mut tokens: Tokens<'_>, asked: &mut Vec<Asked>) -> Option<()> {
    loop {
        term(&mut tokens, asked)?;
        if tokens.peek().is_none() {
            return Some(());
        }
        tokens.eat_any(&["and", "or"])?;
    }
}

/// Reads a condition whose contrary only asks whether something is there: `NOT EXISTS (…)`, `to_regclass(…) IS NULL`.
fn contrary(mut tokens: Tokens<'_>, asked: &mut Vec<Asked>) -> Option<()> {
    let text = tokens.text();
    if tokens.eat_word("to_regclass") {
        let name = inner(text, tokens.eat_parens()?).peek().filter(|token| token.kind.is_string())?.text(text);
        asked.push(Asked::Relation(last(name)));
        tokens.eat_words(&["is", "null"]).then_some(())?;
    } else {
        tokens.eat_word("not").then_some(())?;
        term(&mut tokens, asked)?;
    }
    tokens.peek().is_none().then_some(())
}

fn term(tokens: &mut Tokens<'_>, asked: &mut Vec<Asked>) -> Option<()> {
    let text = tokens.text();
    if tokens.eat_word("exists") {
        asked.push(Asked::Row(tokens.eat_parens()?));
        return Some(());
    }
    if tokens.eat_word("to_regclass") {
        let name = inner(text, tokens.eat_parens()?).peek().filter(|token| token.kind.is_string())?.text(text);
        asked.push(Asked::Relation(last(name)));
        return tokens.eat_words(&["is", "not", "null"]).then_some(());
    }
    // What the server is stays so.
    if tokens.at_word("current_setting") {
        server_version(tokens)?;
        tokens.next().filter(|token| token.kind == TokenKind::Operator)?;
        return tokens.next().map(|_| ());
    }
    let list = tokens.eat_parens()?;
    let mut query = inner(text, list);
    if !query.eat_word("select") {
        return terms(inner(text, list), asked);
    }
    if query.at_word("to_regclass") {
        let is_whole = inner(text, list).has_words(&["is", "not", "null"]);
        let name = query.find(|token| token.kind.is_string())?.text(text);
        asked.push(Asked::Relation(last(name)));
        return (is_whole || tokens.eat_words(&["is", "not", "null"])).then_some(());
    }
    let counts = query.eat_word("count");
    let compared = [">", ">=", "<>", "!="].iter().any(|operator| tokens.eat_operator(operator));
    let number = tokens.next().filter(|token| token.kind == TokenKind::Number)?.text(text);
    asked.push(Asked::Row(list));
    (counts && compared && ["0", "1"].contains(&number)).then_some(())
}

/// Takes `current_setting('server_version…')` and its casts.
fn server_version(tokens: &mut Tokens<'_>) -> Option<()> {
    let text = tokens.text();
    tokens.eat_word("current_setting").then_some(())?;
    let name = inner(text, tokens.eat_parens()?).peek()?.text(text);
    while tokens.eat_operator("::") {
        tokens.eat_name()?;
    }
    name.starts_with("'server_version").then_some(())
}

/// Whether a condition compares a variable that a block gives the server's version, and nothing else.
fn asks_server(text: &str, block: Span, condition: Span) -> bool {
    let mut tokens = Tokens::new(text, condition, Dialect::Postgres);
    let Some(variable) = tokens.next().filter(|token| token.kind == TokenKind::Word) else { return false };
    let compared = tokens.next().is_some_and(|token| token.kind == TokenKind::Operator) && tokens.next().is_some();
    let is_it = |tokens: &Tokens<'_>| tokens.at_word(variable.text(text));
    let tag = text[block.start + 1..].find('$').map_or(0, |at| at + 2);
    let mut tokens = Tokens::new(text, Span::new(block.start + tag, condition.start), Dialect::Postgres);
    let mut given = false;
    while tokens.peek().is_some() {
        if server_version(&mut tokens).is_some() && tokens.at_word("into") {
            tokens.next();
            given |= is_it(&tokens);
        } else if tokens.eat_word("into") && is_it(&tokens) {
            return false;
        } else if is_it(&tokens) {
            tokens.next();
            if assigns(&mut tokens) {
                given |= tokens.at_word("current_setting");
                if server_version(&mut tokens).is_none() {
                    return false;
                }
            }
        } else {
            tokens.next();
        }
    }
    compared && given
}

fn inner(text: &str, list: Span) -> Tokens<'_> {
    let span = Span::new(list.start + 1, list.end.saturating_sub(1).max(list.start + 1));
    Tokens::new(text, span, Dialect::Postgres)
}

/// The bare name in a text that names something.
fn last(written: &str) -> String {
    let bare = written.trim_matches('\'');
    bare.rsplit('.').next().unwrap_or(bare).trim_matches('"').to_ascii_lowercase()
}

/// Whether the script takes away, further down, what is asked for.
fn falsified(text: &str, asked: &Asked, behind: &[&Statement<'_>]) -> bool {
    match asked {
        Asked::Relation(name) => !stays(name, behind),
        Asked::Row(query) if is_of_catalog(text, *query) => {
            let names = names(text, *query);
            let takes = |statement: &&Statement<'_>| touches(statement, &names);
            names.is_empty() || asks_for_more(text, *query) || behind.iter().any(takes)
        }
        Asked::Row(query) => {
            let tokens = Tokens::new(text, *query, Dialect::Postgres);
            let tables = read_tables(tokens);
            let negative = ["not", "null", "except"];
            let fills = Tokens::new(text, *query, Dialect::Postgres)
                .any(|token| negative.iter().any(|word| token.is_word(text, word)));
            tables.is_empty() || behind.iter().any(|statement| changes(statement, &tables, fills))
        }
    }
}

/// Whether the script makes, further down, what is asked for.
fn is_made(text: &str, asked: &Asked, behind: &[&Statement<'_>]) -> bool {
    let makes_one = |names: &[String]| behind.iter().any(|statement| makes(statement, names));
    match asked {
        Asked::Relation(name) => makes_one(std::slice::from_ref(name)),
        Asked::Row(query) if is_of_catalog(text, *query) => {
            let names = names(text, *query);
            names.is_empty() || asks_for_more(text, *query) || makes_one(&names)
        }
        Asked::Row(query) => {
            let tables = read_tables(Tokens::new(text, *query, Dialect::Postgres));
            let names: Vec<String> = tables.iter().map(|table| table.object().to_ascii_lowercase()).collect();
            tables.is_empty() || makes_one(&names) || behind.iter().any(|statement| changes(statement, &tables, true))
        }
    }
}

/// Whether a statement makes something of one of these names. What has no name may be called anything.
fn makes(statement: &Statement<'_>, names: &[String]) -> bool {
    let is_one = |name: &Name| names.iter().any(|one| name.object().eq_ignore_ascii_case(one));
    let in_text = || {
        let written = |token: crate::sql::Token| Name::part(token.text(statement.text), token.kind, statement.dialect);
        statement.tokens().filter(|token| token.kind.is_identifier()).any(|token| is_one(&written(token)))
    };
    match (statement.head.verb, &statement.head.name) {
        (Verb::Create, Some(name)) if statement.head.table.is_some() => is_one(name),
        (Verb::Create, Some(_)) => in_text(),
        (Verb::Create, None) => true,
        _ => statement.actions.iter().any(|action| match action.kind {
            ActionKind::DropColumn | ActionKind::DropConstraint => false,
            ActionKind::RenameColumn | ActionKind::RenameConstraint => {
                generated::new_name(statement, action).is_none_or(|to| is_one(&Name::new([to])))
            }
            _ => action.name.as_ref().is_none_or(is_one),
        }),
    }
}

/// The names that a query of a catalog asks for.
fn names(text: &str, query: Span) -> Vec<String> {
    let strings = Tokens::new(text, query, Dialect::Postgres).filter(|token| token.kind.is_string());
    strings.map(|token| last(token.text(text))).collect()
}

/// Whether a relation of this name is there at the end, as it was when it was asked for.
fn stays(name: &str, behind: &[&Statement<'_>]) -> bool {
    let is = |other: &Name| other.object().eq_ignore_ascii_case(name);
    let mut there = true;
    for statement in behind {
        match statement.head.verb {
            Verb::Drop if dropped(statement).iter().any(is) => there = false,
            Verb::Create if statement.head.name.as_ref().is_some_and(is) => there = true,
            _ => {}
        }
        // A constraint takes the index's name away, and the index with it.
        for action in statement.actions.iter().filter(|action| action.kind == ActionKind::AddConstraint) {
            let mut tokens = statement.part(action.span);
            let index = tokens.skip_past("index").then(|| tokens.eat_name()).flatten();
            there &= !index.is_some_and(|(index, _)| is(&index));
        }
        for action in statement.actions.iter().filter(|action| action.kind == ActionKind::Rename) {
            let from = statement.head.name.as_ref().is_some_and(is);
            there = (there || action.name.as_ref().is_some_and(is)) && !from;
        }
    }
    there
}

/// Whether a query asks a catalog.
fn is_of_catalog(text: &str, query: Span) -> bool {
    let mut tokens = Tokens::new(text, query, Dialect::Postgres);
    tokens.any(|token| {
        let word = token.text(text).to_ascii_lowercase();
        word.starts_with("pg_") || word == "information_schema"
    })
}

/// Whether a query of a catalog asks for more than that something is there: for its type, or that it lacks something.
fn asks_for_more(text: &str, query: Span) -> bool {
    const NAMES: &[&str] = &[
        "select",
        "from",
        "where",
        "and",
        "join",
        "on",
        "as",
        "inner",
        "true",
        "public",
        "current_schema",
        "table_name",
        "table_schema",
        "column_name",
        "constraint_name",
        "schemaname",
        "tablename",
        "indexname",
        "relname",
        "relnamespace",
        "relkind",
        "attname",
        "attrelid",
        "conname",
        "conrelid",
        "typname",
        "typnamespace",
        "rolname",
        "nspname",
        "extname",
        "proname",
        "pronamespace",
        "evtname",
        "pubname",
        "datname",
        "enumlabel",
        "enumtypid",
        "tgname",
        "tgrelid",
        "viewname",
        "matviewname",
        "schema_name",
        "oid",
        "regclass",
        "name",
        "information_schema",
        "usename",
        "polname",
        "policyname",
        "typnamespace",
        "regtype",
        "regnamespace",
        "limit",
    ];
    let plain = |word: &str| NAMES.contains(&word) || word.starts_with("pg_") || word.len() <= 2;
    let in_information_schema =
        ["tables", "columns", "views", "table_constraints", "schemata", "sequences", "triggers"];
    Tokens::new(text, query, Dialect::Postgres).any(|token| {
        let word = token.text(text).to_ascii_lowercase();
        match token.kind {
            TokenKind::Operator => !["=", "::", "*"].contains(&word.as_str()),
            TokenKind::Word => !plain(&word) && !in_information_schema.contains(&word.as_str()),
            _ => false,
        }
    })
}

/// Whether a statement drops, renames or changes one of these names.
fn touches(statement: &Statement<'_>, names: &[String]) -> bool {
    let adds = [ActionKind::AddColumn, ActionKind::AddConstraint, ActionKind::AddValue];
    let changes = statement.head.verb == Verb::Drop
        || statement.head.verb == Verb::Alter && !statement.actions.iter().all(|action| adds.contains(&action.kind));
    let is_named = |token: crate::sql::Token| {
        let written = token.text(statement.text);
        token.kind.is_identifier() && names.iter().any(|name| written.trim_matches('"').eq_ignore_ascii_case(name))
    };
    changes && statement.tokens().any(is_named)
}

/// Whether a statement takes rows out of one of these tables, or changes them; `fills`: or puts some in.
fn changes(statement: &Statement<'_>, tables: &[Name], fills: bool) -> bool {
    let is_one = |name: &Name| tables.iter().any(|table| table.matches(name));
    let of_head = statement.head.name.as_ref().is_some_and(is_one);
    match statement.head.verb {
        Verb::Update | Verb::Delete | Verb::Truncate | Verb::Merge => of_head,
        Verb::Insert | Verb::Replace | Verb::Copy => of_head && fills,
        Verb::Drop => statement.head.kind == Some(Kind::Table) && dropped(statement).iter().any(is_one),
        Verb::Alter => of_head && statement.actions.iter().any(|action| action.kind == ActionKind::Rename),
        _ => false,
    }
}
