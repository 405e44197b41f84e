//! CREATE TABLE IF NOT EXISTS for a table that an earlier script made differently.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::shape::Shape;
use crate::sql::Kind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "shadowed-create",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "CREATE TABLE IF NOT EXISTS for a table that an earlier script made differently",
    effect: "The guard lies: the table exists, so the statement does nothing, and what is new in it never arrives.",
    remedy: "Write ALTER TABLE statements for the difference.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let head = &statement.head;
        let creates = head.creates(Kind::Table) && head.if_not_exists && !head.temporary && !statement.is_guarded();
        let Some(name) = head.name.as_ref().filter(|_| creates) else { continue };
        let Some(known) = context.table(name, statement).filter(|_| !context.dropped_before(statement)) else {
            continue;
        };
        let new = Shape::read(statement.tokens_behind_name());
        if new.partly_known || known.partly_known {
            continue;
        }
        let missing = new.columns.iter().find(|column| known.column_named(&column.name).is_none());
        let other = new.columns.iter().find(|column| {
            known.column_named(&column.name).is_some_and(|known| known.type_word() != column.type_word())
        });
        let gone = known.columns.iter().find(|column| new.column_named(&column.name).is_none());
        let difference = match (missing, other, gone) {
            (Some(column), ..) => format!("column {} would be missing", column.name),
            (None, Some(column), _) => format!("column {} keeps its other type", column.name),
            (None, None, Some(column)) => format!("column {} stays", column.name),
            (None, None, None) => continue,
        };
        let message =
            format!("the guard lies: an earlier script made {name} differently, so nothing happens: {difference}");
        found.report(&RULE, statement.head_span(), message).help("write ALTER TABLE statements for the difference");
    }
}
