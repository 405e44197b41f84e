//! RENAME without a guard.

use super::super::catalog::{self, literal};
use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::generated;
use super::super::guard::{self, Test};
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::shape;
use super::super::statement::Statement;
use crate::sql::{Action, ActionKind, Dialect, Kind, Name, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-rename",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "RENAME without a guard",
    effect: "A second run stops with an error: the old name is gone.",
    remedy: "A table, view, index or sequence in PostgreSQL: `ALTER … IF EXISTS … RENAME TO`. Everything else: a `DO` block that tests for the old name, in SQLite a directive `-- dbbuild: if column table.old` or `if table old`.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.head.verb == Verb::Alter) {
        if statement.is_guarded() || statement.caught().is_some() {
            continue;
        }
        let (Some(kind), Some(name)) = (statement.head.kind, &statement.head.name) else { continue };
        for action in &statement.actions {
            let Some(old) = old_name(kind, name, action) else { continue };
            if context.dialect == Dialect::Sqlite && is_of_case(statement, name, action) {
                continue;
            }
            let native = action.kind == ActionKind::Rename
                && context.dialect == Dialect::Postgres
                && (shape::is_relation(kind) || kind == Kind::ForeignTable);
            let remade = context.before(statement).any(|other| {
                other.head.verb == Verb::Create
                    && other.head.kind == Some(kind)
                    && other.head.name.as_ref() == Some(name)
            });
            // A view is found under the old name as well as a table.
            let again = context.structure.iter().any(|other| {
                let same = |other| other == kind || shape::is_relation(other) && shape::is_relation(kind);
                other.span.start > statement.span.start
                    && other.head.verb == Verb::Create
                    && other.head.kind.is_some_and(same)
                    && other.head.name.as_ref().is_some_and(|made| made.matches(name))
            });
            let taken = remade || again && !is_dropped(context, action);
            if native && statement.head.if_exists && !taken
                || remade && !native && is_rebuild(context, statement, action)
            {
                continue;
            }
            let message = if native && statement.head.if_exists {
                let place = if remade { "above" } else { "further down" };
                format!("a second run fails: {name} is made again {place}, and its new name is taken")
            } else {
                format!("a second run fails: {old} has its new name")
            };
            let draft = found.report(&RULE, action.span, message);
            if native && !remade && !again {
                let guard = guard::cased("IF EXISTS ", guard::is_lower(statement));
                draft.fix(Fix::insert("add IF EXISTS", statement.head.guard_slot, guard));
            } else if let Some(test) =
                test(context, statement, kind, name, action).filter(|_| !(again && kind == Kind::Type))
            {
                draft.fix(guard::test(statement, &test));
            }
        }
    }
}

/// A name that changes in upper and lower case only is found under its new name too, and renamed again without harm.
fn is_of_case(statement: &Statement<'_>, name: &Name, action: &Action) -> bool {
    let is_same = |old: &Name, new: &Name| old.object().eq_ignore_ascii_case(new.object());
    match action.kind {
        ActionKind::Rename => action.name.as_ref().is_some_and(|new| is_same(name, new)),
        ActionKind::RenameColumn => {
            let new = new_name(statement, action);
            action.name.as_ref().zip(new).is_some_and(|(old, new)| is_same(old, &new))
        }
        _ => false,
    }
}

/// `CREATE TABLE new … DROP TABLE t … ALTER TABLE new RENAME TO t`: the whole is another rule's.
fn is_rebuild(context: &Context<'_>, statement: &Statement<'_>, action: &Action) -> bool {
    let Some(to) = &action.name else { return false };
    context.before(statement).any(|other| {
        other.head.verb == Verb::Drop && super::super::facts::dropped(other).iter().any(|name| name.matches(to))
    })
}

/// The script drops the new name somewhere, so that a second run finds it free.
fn is_dropped(context: &Context<'_>, action: &Action) -> bool {
    let Some(to) = &action.name else { return false };
    context.structure.iter().any(|other| {
        other.head.verb == Verb::Drop && super::super::facts::dropped(other).iter().any(|name| name.matches(to))
    })
}

/// A new name is never qualified; the object stays in its schema.
fn in_same_schema(old: &Name, new: &Name) -> Name {
    match old.schema() {
        Some(schema) => Name::new([schema, new.object()]),
        None => new.clone(),
    }
}

fn old_name(kind: Kind, name: &Name, action: &Action) -> Option<String> {
    match action.kind {
        ActionKind::Rename => Some(format!("{kind} {name}")),
        ActionKind::RenameColumn => action.name.as_ref().map(|column| format!("column {column} of {name}")),
        ActionKind::RenameConstraint => action.name.as_ref().map(|column| format!("constraint {column} of {name}")),
        ActionKind::RenameAttribute => action.name.as_ref().map(|column| format!("attribute {column} of {name}")),
        ActionKind::RenameValue => Some(format!("the value of {name}")),
        _ => None,
    }
}

fn new_name(statement: &Statement<'_>, action: &Action) -> Option<Name> {
    generated::new_name(statement, action).map(|name| Name::new([name]))
}

fn test(context: &Context<'_>, statement: &Statement<'_>, kind: Kind, name: &Name, action: &Action) -> Option<Test> {
    let shown = literal(&name.to_string());
    let part = || action.name.as_ref().map(|part| literal(part.object()));
    Some(match (action.kind, kind) {
        (ActionKind::RenameColumn, Kind::View | Kind::Table | Kind::ForeignTable | Kind::MaterializedView) => {
            column(context, statement, name, action)?
        }
        (ActionKind::RenameConstraint, Kind::Domain) => {
            catalog::row(true, "pg_constraint", &[("contypid", &format!("to_regtype({shown})")), ("conname", &part()?)])
        }
        (ActionKind::RenameConstraint, _) => Test::constraint(true, name, action.name.as_ref()?),
        (ActionKind::RenameValue, _) => {
            // The new label says that it was done, even where the script adds the old one again.
            let tokens = statement.part(action.span);
            let label = tokens.filter(|token| token.kind.is_string()).last()?.span.text(statement.text);
            let query = format!("SELECT 1 FROM pg_enum WHERE enumtypid = to_regtype({shown}) AND enumlabel = {label}");
            Test::query(false, &query)
        }
        (ActionKind::RenameAttribute, _) => catalog::row(
            true,
            "pg_attribute",
            &[
                ("attrelid", &format!("to_regclass({shown})")),
                ("attname", &format!("{} AND NOT attisdropped", part()?)),
            ],
        ),
        (ActionKind::Rename, Kind::Table)
            if context.dialect == Dialect::Sqlite && !context.made_behind(statement, kind, name) =>
        {
            Test::relation(true, "table", name)
        }
        (ActionKind::Rename, _) if shape::is_relation(kind) => {
            Test::relation(false, kind.name(), &in_same_schema(name, action.name.as_ref()?))
        }
        // Where the old name is made again, the new one says that it was done.
        (ActionKind::Rename, _) if context.made_behind(statement, kind, name) => {
            catalog::object(false, statement, kind, action.name.as_ref()?)?
        }
        (ActionKind::Rename, _) => catalog::object(true, statement, kind, name)?,
        _ => return None,
    })
}

/// The new name says that it was done, even where the script makes a column of the old name again.
fn column(context: &Context<'_>, statement: &Statement<'_>, table: &Name, action: &Action) -> Option<Test> {
    let new = new_name(statement, action)?;
    let leaves = |action: &Action| {
        matches!(action.kind, ActionKind::RenameColumn | ActionKind::DropColumn)
            && action.name.as_ref().is_some_and(|from| from.object() == new.object())
    };
    let mut behind = context.behind(statement).filter(|other| other.head.name.as_ref() == Some(table));
    Some(if behind.any(|other| other.actions.iter().any(leaves)) {
        Test::column(true, table, action.name.as_ref()?.object())
    } else {
        Test::column(false, table, new.object())
    })
}
