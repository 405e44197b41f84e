//! DROP TABLE, SCHEMA or DATABASE that existed before.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{Kind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "dropped-table",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "DROP TABLE, SCHEMA or DATABASE that existed before",
    effect: "The data is gone, and programs of the old version fail.",
    remedy: "Rename it first and drop it in a later script, when nobody missed it.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.head.verb == Verb::Drop) {
        let Some(kind @ (Kind::Table | Kind::Schema | Kind::Database)) = statement.head.kind else { continue };
        let Some(name) = &statement.head.name else { continue };
        if !context.made_here(name, statement) && !context.is_temporary(name) {
            found.report(
                &RULE,
                statement.head_span(),
                format!("the data of {kind} {name} is gone, and programs that still use it fail"),
            );
        }
    }
}
