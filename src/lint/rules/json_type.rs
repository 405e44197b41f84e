//! A column of type json instead of jsonb.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::columns;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "json-type",
    set: Set::Style,
    dialects: POSTGRES,
    summary: "a column of type json instead of jsonb",
    effect: "It has no equality operator, so DISTINCT, GROUP BY and UNION fail, and no index.",
    remedy: "Use jsonb.",
    fixable: Fixable::Never,
    check,
};

const TYPES: &[&str] = &["json"];

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
