//! A foreign key whose columns no index begins with.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::actions_of_all;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::shape;
use super::super::statement::Statement;
use crate::sql::{Action, ActionKind, Kind, Name};

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
        let mut tokens = statement.part(action.span);
        if tokens.skip_past("foreign") && tokens.eat_word("key") {
            let columns = shape::columns(&mut tokens).unwrap_or_default();
            report(context, statement, action, &columns, found);
        }
    }
    for (statement, action) in actions_of_all(context, ActionKind::AddColumn) {
        let tokens = statement.part(action.span);
        let own_index = tokens.has_word("unique") || tokens.has_words(&["primary", "key"]);
        let column = action.name.as_ref().filter(|_| tokens.has_word("references") && !own_index);
        let columns: Vec<String> = column.iter().map(|column| column.object().to_owned()).collect();
        report(context, statement, action, &columns, found);
    }
}

/// Reports a foreign key of these columns, unless an index begins with the first of them at the end of the script.
fn report(context: &Context<'_>, statement: &Statement<'_>, action: &Action, columns: &[String], found: &mut Found) {
    let (Some(table), Some(first)) = (&statement.head.name, columns.first()) else { return };
    let by_key =
        context.table(table, statement).is_none_or(|shape| shape.keys.iter().any(|key| key.first() == Some(first)));
    let end = (context.source, context.text.len());
    let by_index = context.history.on_table(table, end).iter().any(|(_, name)| {
        let definition = context.history.other(Kind::Index, &Name::new([name.as_str()]), end);
        definition.is_some_and(|definition| {
            let inside = definition.split_once("( ").map_or("", |(_, inside)| inside);
            inside.split(' ').next().map(|word| word.trim_matches('"')) == Some(first.as_str())
        })
    });
    if !by_key && !by_index {
        let message =
            format!("deletes in the referenced table read all of {table}: no index begins with {}", columns.join(", "));
        found.report(&RULE, action.span, message);
    }
}
