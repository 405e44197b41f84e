//! A catalog test for another name than the statement's.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::insert;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::statement::{Guarding, Statement};
use crate::sql::{ActionKind, Span, Tokens, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "wrong-test",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "A catalog test for another name than the statement's",
    effect: "The guard lies: it asks for something else, so the statement runs again and fails, or never runs.",
    remedy: "Ask for what the statement makes.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.nested) {
        if let Some(condition) = other_row(statement) {
            let message = "the guard lies: it asks for another row than the one that is inserted";
            found.report(&RULE, condition, message).help("ask for what the statement makes");
        }
        let makes = statement.head.verb == Verb::Create
            || statement.actions.iter().any(|action| {
                matches!(
                    action.kind,
                    ActionKind::AddColumn | ActionKind::AddConstraint | ActionKind::RenameColumn | ActionKind::AddValue
                )
            });
        // What is filled in cannot be compared.
        let is_open = super::super::dynamic::is_covered(statement.span.text(context.text));
        if !makes || statement.head.is_guarded() || is_open {
            continue;
        }
        let conditions: Vec<Span> = statement
            .guards
            .iter()
            .filter_map(|guard| match guard {
                Guarding::Condition(span) => Some(*span),
                _ => None,
            })
            .collect();
        let [condition] = conditions.as_slice() else { continue };
        if statement.guards.contains(&Guarding::Opaque) || !asks_catalog(statement.part(*condition)) {
            continue;
        }
        let asked: Vec<String> = statement
            .part(*condition)
            .filter(|token| token.kind.is_string())
            .map(|token| token.text(context.text).trim_matches('\'').to_ascii_lowercase())
            .collect();
        // Names that come from variables or functions cannot be compared.
        if asked.is_empty() || has_variable(statement.part(*condition)) {
            continue;
        }
        let mut own: Vec<String> = statement
            .head
            .name
            .iter()
            .chain(&statement.head.table)
            .map(|name| name.object().to_ascii_lowercase())
            .collect();
        for action in &statement.actions {
            own.extend(action.name.iter().map(|name| name.object().to_ascii_lowercase()));
            own.extend(inline_names(statement, action.span));
        }
        let target: Vec<&String> = match statement.actions.first().and_then(|action| action.name.as_ref()) {
            Some(name) => own.iter().filter(|known| **known == name.object().to_ascii_lowercase()).collect(),
            // An index is asked for by its own name, not by its table's; what has no name cannot be compared.
            None if statement.head.verb == Verb::Create => own.iter().take(1).collect(),
            None => Vec::new(),
        };
        let last = |text: &str| text.rsplit('.').next().unwrap_or(text).trim_matches('"').to_owned();
        let renamed =
            statement.actions.iter().filter(|action| action.kind == ActionKind::RenameColumn).find_map(|action| {
                let mut tokens = statement.part(action.span);
                tokens.skip_to_any(&["to"]);
                tokens.next();
                tokens.eat_name().map(|(name, _)| name.object().to_ascii_lowercase())
            });
        let index = statement.actions.iter().find_map(|action| {
            let mut tokens = statement.part(action.span);
            tokens
                .skip_past("index")
                .then(|| tokens.eat_name())
                .flatten()
                .map(|(name, _)| name.object().to_ascii_lowercase())
        });
        // A rename may be known by either name, and so may an index that becomes a constraint.
        let target: Vec<&String> = target.into_iter().chain(&renamed).chain(&index).collect();
        let hit = target.iter().any(|name| asked.iter().any(|asked| last(asked) == **name || holds_word(asked, name)));
        // What the test asks about is changed beside it, so that it fails the next time.
        let changed = context.statements.iter().any(|other| {
            let beside = other.span != statement.span && other.guards == statement.guards;
            let named =
                |name: &crate::sql::Name| asked.iter().any(|asked| last(asked) == name.object().to_ascii_lowercase());
            beside
                && (other.head.verb == Verb::Drop && other.head.name.as_ref().is_some_and(named)
                    || other.actions.iter().any(|action| {
                        !matches!(action.kind, ActionKind::AddColumn | ActionKind::AddConstraint)
                            && action.name.as_ref().is_some_and(named)
                    }))
        });
        if !hit && !changed && !target.is_empty() {
            let message =
                format!("the guard lies: it asks for {}, and the statement makes {}", asked.join(", "), target[0]);
            found.report(&RULE, *condition, message).help("ask for what the statement makes");
        }
    }
}

/// `IF NOT EXISTS (SELECT … FROM t WHERE a = 1) THEN INSERT INTO t … VALUES (2)`.
fn other_row(statement: &Statement<'_>) -> Option<Span> {
    let table = statement.head.name.as_ref().filter(|_| statement.head.verb == Verb::Insert)?;
    let [Guarding::Condition(condition)] = statement.guards.as_slice() else { return None };
    let mut tokens = statement.part(*condition);
    let query = tokens
        .eat_words(&["not", "exists"])
        .then(|| tokens.eat_parens())
        .flatten()
        .filter(|_| tokens.peek().is_none())?;
    let query = statement.part(query);
    let own = insert::read_tables(query).iter().any(|asked| asked.matches(table));
    (own && insert::asks_for_another(statement, &insert::read(statement), query)).then_some(*condition)
}

fn asks_catalog(tokens: Tokens<'_>) -> bool {
    let text = tokens.text();
    let mut tokens = tokens;
    tokens.any(|token| {
        let word = token.text(text);
        word.starts_with("pg_")
            || ["information_schema", "to_regclass", "to_regtype"].contains(&word.to_ascii_lowercase().as_str())
    })
}

fn has_variable(tokens: Tokens<'_>) -> bool {
    tokens.has_any(&["format", "concat", "like", "current_database", "pg_get_constraintdef"])
        || tokens.has_words(&["new"])
}

/// Names of constraints inside a column's definition.
fn inline_names(statement: &Statement<'_>, span: Span) -> Vec<String> {
    let mut tokens = statement.part(span);
    let mut found = Vec::new();
    while tokens.skip_past("constraint") {
        found.extend(tokens.eat_name().map(|(name, _)| name.object().to_ascii_lowercase()));
    }
    found
}

/// Whether a text holds a name by itself.
fn holds_word(text: &str, name: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let behind = text.get(at + name.len()..).and_then(|behind| behind.chars().next());
        !before.is_some_and(is_part) && !behind.is_some_and(is_part)
    })
}
