//! A column of type varchar(n).

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::columns;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "limited-text",
    set: Set::Style,
    dialects: POSTGRES,
    summary: "A column of type varchar(n)",
    effect: "To widen the limit later is a change under a lock; a limit that is a rule of the business belongs into a CHECK.",
    remedy: "Write `text`, with a CHECK for the length where it matters.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for &(span, ref column) in columns(context) {
        if column.definition.starts_with("varchar (") || column.definition.starts_with("character varying (") {
            found.report(&RULE, span, format!("column {} has a limited length", column.name));
        }
    }
}
