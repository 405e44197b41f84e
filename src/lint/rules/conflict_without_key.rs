//! ON CONFLICT DO NOTHING (or OR IGNORE) where nothing can conflict.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::insert::{self, Insert};
use super::super::shape::{Column, items};
use crate::sql::Verb;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "conflict-without-key",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "ON CONFLICT DO NOTHING (or OR IGNORE) where nothing can conflict",
    effect: "The guard lies: no unique key of the table is among the inserted columns, so each run inserts the rows again.",
    remedy: "Insert the key, give the table a unique key, or write `WHERE NOT EXISTS (…)`.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let head = &statement.head;
        let Some(table) = head.name.as_ref().filter(|_| matches!(head.verb, Verb::Insert | Verb::Replace)) else { continue };
        let insert = insert::read(statement);
        let bare = insert.conflict.as_ref().is_some_and(|conflict| !conflict.has_target && !conflict.updates);
        let ignores = bare || head.or_ignore || head.or_replace || head.verb == Verb::Replace;
        let emptied = context.emptied_before(table, statement);
        if !ignores || statement.is_guarded() || insert.asks || context.is_temporary(table) || emptied {
            continue;
        }
        let Some(shape) = context.table(table, statement) else { continue };
        if shape.partly_known || shape.other_keys {
            continue;
        }
        let given = |column: &String| insert.columns.as_ref().is_none_or(|columns| columns.contains(column));
        let can_conflict = shape.keys.iter().any(|key| {
            // A key that a fixed default fills can conflict as well; one that a generator fills cannot.
            key.iter().all(|column| given(column) && !is_null(context, &insert, column))
                || key.iter().all(|column| given(column) || has_fixed_default(shape.column_named(column)))
                    && !key.iter().any(|column| given(column) && is_null(context, &insert, column))
        });
        if can_conflict {
            continue;
        }
        let message = format!("the guard lies: nothing in {table} can conflict with these rows, so a second run inserts them again");
        let span = insert.conflict.as_ref().map_or(statement.head_span(), |conflict| conflict.span);
        found.report(&RULE, span, message).help("insert the key, or write WHERE NOT EXISTS (…)");
    }
}

fn has_fixed_default(column: Option<&Column>) -> bool {
    column.is_some_and(|column| {
        let mut words = column.definition.split(' ').skip_while(|word| *word != "default").skip(1);
        words.next().is_some_and(|value| value.starts_with('\'') || value.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Each row brings NULL for the column: NULL conflicts with nothing.
fn is_null(context: &Context<'_>, insert: &Insert, column: &str) -> bool {
    let Some(at) = insert.columns.as_ref().and_then(|columns| columns.iter().position(|known| known == column)) else {
        return false;
    };
    !insert.rows.is_empty()
        && insert.rows.iter().all(|row| {
            let value = items(context.text, *row, context.dialect).get(at).copied().unwrap_or_default();
            value.text(context.text).eq_ignore_ascii_case("null")
        })
}
