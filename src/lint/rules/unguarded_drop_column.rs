//! DROP COLUMN without a guard.

use super::super::alteration::alterations;
use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::guard;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use crate::sql::{ActionKind, Dialect};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-drop-column",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "DROP COLUMN without a guard",
    effect: "A second run stops with an error: the column is gone.",
    remedy: "PostgreSQL: `DROP COLUMN IF EXISTS`. SQLite: put `-- dbbuild: if column table.column` in front of the statement.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in alterations(context, ActionKind::DropColumn) {
        let (Some(table), Some(column)) = (&statement.head.name, &action.name) else { continue };
        let added = context.before(statement).any(|other| {
            other.head.name == statement.head.name
                && other.actions.iter().any(|other| {
                    other.kind == ActionKind::AddColumn && !other.if_not_exists && other.name == action.name
                })
        });
        // Dropped and added again by one statement.
        let replaced = statement.actions.iter().any(|other| {
            other.kind == ActionKind::AddColumn
                && other.span.start > action.span.start
                && other.name == action.name
                && !other.if_not_exists
        });
        if replaced || action.if_exists || statement.caught().is_some() || added {
            continue;
        }
        let draft = found.report(&RULE, action.span, format!("a second run fails: column {column} of {table} is gone"));
        draft.fix(match context.dialect {
            Dialect::Postgres => {
                let guard = guard::cased("IF EXISTS ", guard::is_lower(statement));
                Fix::insert("add IF EXISTS", action.guard_slot, guard)
            }
            Dialect::Sqlite => guard::directive(statement, &guard::Test::column(true, table, column.object())),
        });
    }
}
