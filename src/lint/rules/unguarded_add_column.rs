//! ADD COLUMN without a guard.

use super::super::alteration::alterations;
use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::guard;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::statement::Statement;
use crate::sql::{ActionKind, Dialect};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-add-column",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "ADD COLUMN without a guard",
    effect: "A second run stops with an error: the column exists.",
    remedy: "PostgreSQL: `ADD COLUMN IF NOT EXISTS`. SQLite has no such clause: put `-- dbbuild: unless column table.column` in front of the statement.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in alterations(context, ActionKind::AddColumn) {
        let (Some(table), Some(column)) = (&statement.head.name, &action.name) else { continue };
        if action.if_not_exists
            || statement.catches(&["duplicate_column"])
            || statement.caught().is_some()
            || dropped_by_this(context, statement, column.object())
        {
            continue;
        }
        let message = format!("a second run fails: column {column} of {table} exists");
        let draft = found.report(&RULE, action.span, message);
        draft.fix(match context.dialect {
            Dialect::Postgres => {
                let guard = guard::cased("IF NOT EXISTS ", guard::is_lower(statement));
                Fix::insert("add IF NOT EXISTS", action.guard_slot, guard)
            }
            Dialect::Sqlite => guard::directive(statement, &guard::Test::column(false, table, column.object())),
        });
    }
}

/// `DROP COLUMN IF EXISTS a` in front makes room for it.
fn dropped_by_this(context: &Context<'_>, statement: &Statement<'_>, column: &str) -> bool {
    let drops = |other: &Statement<'_>| {
        other.head.name == statement.head.name
            && other.actions.iter().any(|action| {
                action.kind == ActionKind::DropColumn
                    && action.name.as_ref().is_some_and(|name| name.object() == column)
            })
    };
    context.before(statement).any(drops) || drops(statement)
}
