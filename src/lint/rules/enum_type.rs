//! CREATE TYPE … AS ENUM.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::Kind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "enum-type",
    set: Set::Style,
    dialects: POSTGRES,
    summary: "a new type that is an enum",
    effect: "Its values can be added and renamed, but never taken away or put into another order without making the type, and every column of it, anew.",
    remedy: "Where values may go again: a text with a CHECK, or a table of values with a foreign key. Where they never will, set the level of this rule to `off`.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.head.creates(Kind::Type)) {
        let Some(name) = &statement.head.name else { continue };
        if statement.tokens_behind_name().has_words(&["as", "enum"]) {
            found.report(&RULE, statement.head_span(), format!("no value can be taken out of {name} again"));
        }
    }
}
