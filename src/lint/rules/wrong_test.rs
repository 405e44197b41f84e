//! A catalog test for another name than the statement's.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::generated::{LONGEST, new_name};
use super::super::insert;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::shape::is_relation;
use super::super::statement::{Guarding, Statement};
use crate::sql::{Action, ActionKind, Kind, Name, Span, Tokens, Verb};

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
        let Some(condition) = tested(context, statement) else { continue };
        let asked: Vec<String> = statement
            .part(condition)
            .filter(|token| token.kind.is_string())
            .map(|token| token.text(context.text).trim_matches('\'').to_ascii_lowercase())
            .collect();
        let known = known_by(statement);
        let hit = known.iter().any(|name| asked.iter().any(|asked| last(asked) == *name || holds_word(asked, name)));
        let Some(first) = known.first().filter(|_| !asked.is_empty() && !hit) else { continue };
        if !changes_beside(context, statement, &asked) {
            let message = format!("the guard lies: it asks for {}, and the statement makes {first}", asked.join(", "));
            found.report(&RULE, condition, message).help("ask for what the statement makes");
        }
    }
}

/// The one test of the catalog around a statement that makes something, if its names can be compared.
fn tested(context: &Context<'_>, statement: &Statement<'_>) -> Option<Span> {
    let makes = [ActionKind::AddColumn, ActionKind::AddConstraint, ActionKind::RenameColumn, ActionKind::AddValue];
    // `ALTER PUBLICATION … ADD TABLE t` adds no column.
    let of_relation = statement
        .head
        .kind
        .is_some_and(|kind| is_relation(kind) || matches!(kind, Kind::ForeignTable | Kind::Type | Kind::Domain));
    let makes = statement.head.verb == Verb::Create
        || of_relation && statement.actions.iter().any(|action| makes.contains(&action.kind));
    // What is filled in cannot be compared.
    let is_open = super::super::dynamic::is_covered(statement.span.text(context.text));
    if !makes || statement.head.is_guarded() || is_open {
        return None;
    }
    let mut only = None;
    for guard in &statement.guards {
        match guard {
            Guarding::Condition(span) if only.is_none() => only = Some(*span),
            Guarding::Condition(_) | Guarding::Unless(_) | Guarding::Opaque => return None,
            Guarding::Directive(_) | Guarding::Caught(_) => {}
        }
    }
    // Names that come from variables or functions cannot be compared either.
    // What is asked for its properties is not asked whether it is there.
    let asks_for_rows = |condition: &Span| {
        let mut tokens = statement.part(*condition);
        tokens.any(|token| ["exists", "null", "count", "found"].iter().any(|word| token.is_word(statement.text, word)))
    };
    only.filter(asks_for_rows)
        .filter(|condition| asks_catalog(statement.part(*condition)) && !has_variable(statement.part(*condition)))
}

/// The names that say that a statement was run, as PostgreSQL keeps them: of an `ALTER`, whatever one of its actions
/// makes or takes; of an index its own name, not its table's. What has no name cannot be compared.
fn known_by(statement: &Statement<'_>) -> Vec<String> {
    let kept = |name: &str| {
        let name = name.to_ascii_lowercase();
        let end = (0..=LONGEST.min(name.len())).rfind(|end| name.is_char_boundary(*end)).unwrap_or_default();
        name.get(..end).unwrap_or_default().to_owned()
    };
    let mut found: Vec<String> = Vec::new();
    if statement.head.verb == Verb::Create {
        found.extend(statement.head.name.iter().map(|name| kept(name.object())));
    }
    for action in &statement.actions {
        found.extend(action.name.iter().map(|name| kept(name.object())));
        found.extend(inline_names(statement, action.span).iter().map(|name| kept(name)));
        // A rename may be known by either name, and so may an index that becomes a constraint.
        if action.kind == ActionKind::RenameColumn {
            found.extend(new_name(statement, action).map(|name| kept(&name)));
        }
        let mut tokens = statement.part(action.span);
        let index = tokens.skip_past("index").then(|| tokens.eat_name()).flatten();
        found.extend(index.map(|(name, _)| kept(name.object())));
    }
    found
}

/// What the test asks about is changed beside the statement, so that it fails the next time.
fn changes_beside(context: &Context<'_>, statement: &Statement<'_>, asked: &[String]) -> bool {
    let named = |name: &Name| asked.iter().any(|asked| last(asked) == name.object().to_ascii_lowercase());
    let takes = |action: &Action| {
        !matches!(action.kind, ActionKind::AddColumn | ActionKind::AddConstraint)
            && action.name.as_ref().is_some_and(named)
    };
    context.statements.iter().any(|other| {
        let drops = other.head.verb == Verb::Drop && other.head.name.as_ref().is_some_and(named);
        other.span != statement.span && other.guards == statement.guards && (drops || other.actions.iter().any(takes))
    })
}

/// The bare name in a text that may have a schema.
fn last(text: &str) -> String {
    text.rsplit('.').next().unwrap_or(text).trim_matches('"').to_owned()
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
