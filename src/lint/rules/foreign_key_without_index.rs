//! A foreign key whose columns no index begins with.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{POSTGRES, Fixable, Rule, Set};
use super::super::live::actions_of_all;
use super::super::shape;
use crate::sql::{ActionKind, Kind, Name};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "foreign-key-without-index",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "A foreign key whose columns no index begins with",
    effect: "Each delete or key change of the referenced table reads the whole referring one.",
    remedy: "Create an index on the referring columns.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in actions_of_all(context, ActionKind::AddConstraint) {
        let Some(table) = &statement.head.name else { continue };
        let mut tokens = statement.part(action.span);
        if !tokens.skip_past("foreign") {
            continue;
        }
        tokens.eat_word("key");
        let Some(columns) = shape::columns(&mut tokens) else { continue };
        let by_key = context.table(table, statement).is_none_or(|shape| shape.keys.iter().any(|key| key.first() == columns.first()));
        let end = (context.source, context.text.len());
        let by_index = context.history.on_table(table, end).iter().any(|(_, name)| {
            let definition = context.history.other(Kind::Index, &Name::new([name.as_str()]), end);
            definition.is_some_and(|definition| {
                let inside = definition.split_once("( ").map_or("", |(_, inside)| inside);
                inside.split(' ').next().map(|word| word.trim_matches('"')) == columns.first().map(String::as_str)
            })
        });
        if !by_key && !by_index {
            let message = format!("deletes in the referenced table read all of {table}: no index begins with {}", columns.join(", "));
            found.report(&RULE, action.span, message);
        }
    }
}
