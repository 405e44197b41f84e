//! A key of type smallint, integer or serial.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::columns;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "narrow-key",
    set: Set::Style,
    dialects: POSTGRES,
    summary: "A key of type smallint, integer or serial",
    effect: "It runs out at two thousand million rows, and to widen it then rewrites the table.",
    remedy: "Write `bigint`.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for &(span, ref column) in columns(context) {
        let narrow = ["int", "integer", "int4", "smallint", "int2", "serial", "smallserial", "serial4"]
            .contains(&column.type_word());
        if narrow && column.definition.contains("primary key") {
            found.report(&RULE, span, format!("key {} is of type {}", column.name, column.type_word()));
        }
    }
}
