//! A column of type timestamp without time zone.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::columns;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "timestamp-without-zone",
    set: Set::Style,
    dialects: POSTGRES,
    summary: "a column of type timestamp without time zone",
    effect: "It does not say which moment it means.",
    remedy: "Use timestamptz.",
    fixable: Fixable::Never,
    check,
};

const TYPES: &[&str] = &["timestamp"];

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
