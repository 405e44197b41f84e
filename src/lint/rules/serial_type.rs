//! A column of type serial instead of an identity column.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::columns;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "serial-type",
    set: Set::Style,
    dialects: POSTGRES,
    summary: "a column of type serial instead of an identity column",
    effect: "Its sequence has rights and an owner of its own, and values can be given by accident.",
    remedy: "`GENERATED ALWAYS AS IDENTITY`.",
    fixable: Fixable::Never,
    check,
};

const TYPES: &[&str] = &["serial", "bigserial", "smallserial", "serial4", "serial8"];

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
