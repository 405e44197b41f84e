//! An EXCEPTION clause that catches another condition than the second run raises.

use super::super::context::Context;
use super::super::creation::creation;
use super::super::finding::Found;
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::shape;
use super::super::statement::Statement;
use crate::sql::{ActionKind, Kind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "wrong-exception",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "An EXCEPTION clause that catches another condition than the second run raises",
    effect: "The guard lies: the second run raises a condition that is not caught, and fails.",
    remedy: "Catch what the statement raises: `duplicate_table` for tables, indexes, sequences, UNIQUE and EXCLUDE constraints, `duplicate_function` for functions and operators, `invalid_table_definition` for a second primary key, `unique_violation` for text search, `duplicate_column` for columns.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let Some(caught) = statement.caught().filter(|_| !statement.is_guarded()) else { continue };
        if statement.head.is_guarded() && !statement.head.if_exists || context.dropped_before(statement) {
            continue;
        }
        let Some(raises) = raised(context, statement) else { continue };
        if caught.contains(&"others") || raises.iter().any(|condition| caught.contains(condition)) {
            continue;
        }
        // Conditions by number are not compared.
        if caught.iter().any(|condition| condition.contains("sqlstate") || condition.starts_with('\'')) {
            continue;
        }
        let expected = raises.join(" or ");
        let message =
            format!("the guard lies: a second run raises {expected}, and only {} is caught", caught.join(", "));
        let draft = found.report(&RULE, statement.head_span(), message);
        draft.help(format!("write `EXCEPTION WHEN {} THEN`", raises.join(" OR ")));
        draft.fix(guard::catch(statement, raises));
    }
}

fn raised(context: &Context<'_>, statement: &Statement<'_>) -> Option<&'static [&'static str]> {
    if let Some(creation) = creation(&statement.head, context.dialect, context.postgres_from) {
        return Some(creation.raises);
    }
    if statement.head.verb == Verb::Drop && !statement.head.if_exists {
        return Some(match statement.head.kind? {
            kind if shape::is_relation(kind) || kind == Kind::ForeignTable => &["undefined_table"],
            Kind::Function | Kind::Procedure | Kind::Routine | Kind::Aggregate | Kind::Operator => {
                &["undefined_function"]
            }
            Kind::Schema => &["invalid_schema_name"],
            Kind::Owned => return None,
            _ => &["undefined_object"],
        });
    }
    let action = statement.actions.first().filter(|_| statement.actions.len() == 1)?;
    let tokens = statement.part(action.span);
    Some(match action.kind {
        ActionKind::AddColumn if !action.if_not_exists => &["duplicate_column"],
        ActionKind::AddConstraint if tokens.has_words(&["using", "index"]) => return None,
        ActionKind::AddConstraint if tokens.has_words(&["primary", "key"]) => &["invalid_table_definition"],
        ActionKind::AddConstraint if tokens.has_any(&["unique", "exclude"]) && action.name.is_some() => {
            &["duplicate_table"]
        }
        ActionKind::AddConstraint if action.name.is_some() => &["duplicate_object"],
        ActionKind::RenameColumn | ActionKind::DropColumn if !action.if_exists => &["undefined_column"],
        ActionKind::DropConstraint if !action.if_exists => &["undefined_object"],
        _ => return None,
    })
}
