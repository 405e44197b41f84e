//! The actions of `ALTER` statements that nothing around them guards.

use super::context::Context;
use super::statement::Statement;
use crate::sql::{Action, ActionKind, Kind};

/// Actions of one kind on tables.
pub fn alterations<'c>(
    context: &Context<'c>,
    kind: ActionKind,
) -> impl Iterator<Item = (&'c Statement<'c>, &'c Action)> + use<'c> {
    alterations_of_any(context, kind)
        .filter(|(statement, _)| matches!(statement.head.kind, Some(Kind::Table | Kind::ForeignTable)))
}

/// Actions of one kind on whatever has them: tables, domains, types.
pub fn alterations_of_any<'c>(
    context: &Context<'c>,
    kind: ActionKind,
) -> impl Iterator<Item = (&'c Statement<'c>, &'c Action)> + use<'c> {
    let open = context.statements.iter().filter(|statement| !statement.is_guarded());
    open.flat_map(|statement| statement.actions.iter().map(move |action| (statement, action)))
        .filter(move |(_, action)| action.kind == kind)
}
