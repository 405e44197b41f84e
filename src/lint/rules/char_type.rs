//! A column of type char(n).

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::columns;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "char-type",
    set: Set::Style,
    dialects: POSTGRES,
    summary: "a column of type char(n)",
    effect: "Blanks are added and cut in surprising ways, and nothing is saved.",
    remedy: "Use text, with a CHECK where a length matters.",
    fixable: Fixable::Never,
    check,
};

const TYPES: &[&str] = &["char", "character", "bpchar"];

fn check(context: &Context<'_>, found: &mut Found) {
    for &(span, ref column) in columns(context) {
        let other = ["timestamp with time zone", "character varying", "char varying"];
        let zoned = column.definition.contains(") with time zone")
            || other.iter().any(|text| column.definition.starts_with(text));
        if TYPES.contains(&column.type_word()) && !zoned {
            found.report(&RULE, span, format!("column {} is of type {}", column.name, column.type_word()));
        }
    }
}
