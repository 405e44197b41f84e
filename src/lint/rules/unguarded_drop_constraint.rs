//! DROP CONSTRAINT, IDENTITY, EXPRESSION or ATTRIBUTE without IF EXISTS.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::statement::Statement;
use super::super::{generated, guard};
use crate::sql::{Action, ActionKind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-drop-constraint",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "DROP CONSTRAINT, IDENTITY, EXPRESSION or ATTRIBUTE without IF EXISTS",
    effect: "A second run stops with an error: it is gone.",
    remedy: "Write `IF EXISTS`.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.head.verb == Verb::Alter) {
        if statement.is_guarded() || statement.caught().is_some() {
            continue;
        }
        for action in &statement.actions {
            let slot = match action.kind {
                ActionKind::DropConstraint | ActionKind::DropAttribute if !action.if_exists => action.guard_slot,
                ActionKind::AlterColumn => match drops_part(statement, action) {
                    Some(slot) => slot,
                    None => continue,
                },
                _ => continue,
            };
            if added_again(context, statement, action) {
                continue;
            }
            let what = action.span.text(context.text).split_whitespace().collect::<Vec<_>>().join(" ");
            let draft = found.report(&RULE, action.span, format!("a second run fails: `{what}` finds nothing"));
            let is_end = context.text[slot..]
                .chars()
                .next()
                .is_none_or(|next| !next.is_alphanumeric() && next != '"' && next != '_');
            let guard = if is_end { " IF EXISTS" } else { "IF EXISTS " };
            draft.fix(Fix::insert("add IF EXISTS", slot, guard::cased(guard, guard::is_lower(statement))));
        }
    }
}

/// `ALTER COLUMN c DROP IDENTITY` or `DROP EXPRESSION`: where the guard goes.
fn drops_part(statement: &Statement<'_>, action: &Action) -> Option<usize> {
    let mut tokens = statement.part(action.span);
    tokens.eat_word("alter");
    tokens.eat_word("column");
    tokens.eat_name()?;
    tokens.eat_word("drop").then_some(())?;
    tokens.eat_any(&["identity", "expression"])?;
    (!tokens.at_word("if")).then_some(tokens.end())
}

/// `DROP CONSTRAINT c, ADD CONSTRAINT c …`: a second run finds it.
fn added_again(context: &Context<'_>, statement: &Statement<'_>, action: &Action) -> bool {
    let adds = |other: &Statement<'_>| {
        other.head.name.as_ref().zip(statement.head.name.as_ref()).is_some_and(|(left, right)| left.matches(right))
            && other.actions.iter().any(|added| {
                let key = other.part(added.span).has_words(&["add", "primary", "key"]) && is_key(statement, action);
                let named = added.kind == ActionKind::AddConstraint && (added.name == action.name || key);
                named && (other.span != statement.span || added.span.start > action.span.start)
            })
    };
    action.name.is_some() && (adds(statement) || context.behind(statement).any(adds))
}

fn is_key(statement: &Statement<'_>, action: &Action) -> bool {
    let table = statement.head.name.as_ref();
    table.zip(action.name.as_ref()).is_some_and(|(table, name)| generated::is_of_key(table, name))
}
