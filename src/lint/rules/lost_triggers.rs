//! A SQLite rebuild that loses the table's triggers or indexes.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rebuild::Rebuild;
use super::super::rule::{Fixable, Rule, SQLITE, Set};
use crate::sql::{Name, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "lost-triggers",
    set: Set::Order,
    dialects: SQLITE,
    summary: "A SQLite rebuild that loses the table's triggers or indexes",
    effect: "DROP TABLE takes triggers and indexes along, and the script does not make them again.",
    remedy: "Create them again behind the rename.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    let Some(rebuild) = &context.rebuild else { return };
    for rebuilt in &rebuild.tables {
        check_one(context, rebuild, &rebuilt.table, found);
    }
}

fn check_one(context: &Context<'_>, rebuild: &Rebuild, table: &Name, found: &mut Found) {
    let Some(drop) = context.statements.iter().find(|statement| {
        statement.head.verb == Verb::Drop
            && rebuild.holds(statement)
            && statement.head.name.as_ref().is_some_and(|name| name.matches(table))
    }) else {
        return;
    };
    for (kind, name) in context.history.on_table(table, context.moment(drop)) {
        let again = context.behind(drop).any(|statement| {
            statement.head.verb == Verb::Create
                && statement.head.kind == Some(kind)
                && statement.head.name.as_ref().is_some_and(|made| made.object() == name)
                || statement.head.verb == Verb::Drop
                    && statement.head.name.as_ref().is_some_and(|made| made.object() == name)
        });
        if !again {
            let message = format!("the rebuild of {} loses the {kind} {name}", table);
            found.report(&RULE, drop.head_span(), message).help("create it again behind the rename");
        }
    }
}
