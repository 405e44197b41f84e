//! ON CONFLICT DO NOTHING, OR IGNORE or a caught unique_violation where nothing can conflict.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::insert;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::shape::{Column, Resolution};
use super::unguarded_insert::where_not_exists;
use crate::sql::{Dialect, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "conflict-without-key",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "ON CONFLICT DO NOTHING, OR IGNORE or a caught unique_violation where nothing can conflict",
    effect: "The guard lies: no unique key of the table is among the inserted columns, so each run inserts the rows again.",
    remedy: "Insert the key, give the table a unique key, or write `WHERE NOT EXISTS (…)`.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let head = &statement.head;
        let Some(table) = head.name.as_ref().filter(|_| matches!(head.verb, Verb::Insert | Verb::Replace)) else {
            continue;
        };
        let insert = insert::read(statement);
        // Where it names columns, those decide; a constraint by name is taken at its word.
        let bare = insert
            .conflict
            .as_ref()
            .is_some_and(|conflict| !conflict.has_target && !conflict.updates || conflict.columns.is_some());
        let catches = insert.conflict.is_none() && statement.catches(&["unique_violation"]);
        let shape = context.table(table, statement);
        let key_replaces = shape.is_some_and(|shape| shape.resolves == Some(Resolution::Replace));
        let ignores = bare || catches || head.or_ignore || head.or_replace || head.verb == Verb::Replace;
        let replaces = head.or_replace || head.verb == Verb::Replace || !ignores && key_replaces;
        let emptied = context.emptied_before(table, statement);
        if !ignores && !replaces || statement.is_guarded() || insert.asks || context.is_temporary(table) || emptied {
            continue;
        }
        if table.object() == "sqlite_sequence" {
            let message = "the guard lies: sqlite_sequence has no key, so a second run inserts the row again";
            found.report(&RULE, statement.head_span(), message).help("write UPDATE, or WHERE NOT EXISTS (…)");
            continue;
        }
        let is_rowid = |column: &String| ["rowid", "oid", "_rowid_"].contains(&column.as_str());
        if context.dialect == Dialect::Sqlite && insert.columns.iter().flatten().any(is_rowid) {
            continue;
        }
        let Some(shape) = shape else { continue };
        if shape.partly_known || shape.other_keys {
            continue;
        }
        let given = |column: &String| insert.columns.as_ref().is_none_or(|columns| columns.contains(column));
        // A key that a fixed default fills can conflict as well; one that a generator fills cannot.
        let conflicts = |key: &&Vec<String>| {
            let filled = |column: &String| given(column) || shape.column_named(column).is_some_and(has_fixed_default);
            key.iter().all(filled) && !insert::escapes(context.text, context.dialect, &insert, shape, key)
        };
        let target = insert.conflict.as_ref().and_then(|conflict| conflict.columns.clone());
        // A row that is not in a partial index does not conflict in it.
        let reached = shape
            .partial_keys
            .iter()
            .filter(|key| insert::reaches(context.text, context.dialect, &insert, shape, key))
            .map(|key| &key.columns);
        let is_partial_alone = |target: &Vec<String>| {
            let is = |columns: &Vec<String>| columns == target;
            shape.partial_keys.iter().any(|key| is(&key.columns)) && !shape.keys.iter().any(is)
        };
        let keys: Vec<&Vec<String>> = match &target {
            Some(target) if is_partial_alone(target) => reached.filter(|columns| *columns == target).collect(),
            Some(target) => vec![target],
            None => shape.keys.iter().chain(reached).collect(),
        };
        let message = if keys.iter().any(conflicts) {
            // SQLite's REPLACE deletes the row, and the new one gets a new key.
            let renewed = |column: &Column| {
                column.definition.starts_with("integer")
                    && column.definition.contains("primary key")
                    && !given(&column.name)
            };
            if !replaces || !shape.columns.iter().any(renewed) {
                continue;
            }
            format!("a second run gives the rows of {table} other keys: REPLACE deletes them and inserts them again")
        } else if !ignores {
            // Without a guard it is another rule's.
            continue;
        } else {
            format!(
                "the guard lies: nothing in {table} can conflict with these rows, so a second run inserts them again"
            )
        };
        let span = insert.conflict.as_ref().map_or(statement.head_span(), |conflict| conflict.span);
        let draft = found.report(&RULE, span, message).help("insert the key, or write WHERE NOT EXISTS (…)");
        if !replaces && insert.rows.len() == 1 {
            draft.fix(where_not_exists(context, statement, &insert, Some(&**shape)));
        }
    }
}

fn has_fixed_default(column: &Column) -> bool {
    column.default().is_some_and(|value| value.starts_with('\'') || value.starts_with(|c: char| c.is_ascii_digit()))
}
