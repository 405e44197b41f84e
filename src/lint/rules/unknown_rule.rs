//! `allow(…)` of a rule that does not exist.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{BOTH, Fixable, Rule, Set};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unknown-rule",
    set: Set::Style,
    dialects: BOTH,
    summary: "`allow(…)` of a rule that does not exist",
    effect: "It allows nothing.",
    remedy: "`dbbuild lint --list` names the rules.",
    fixable: Fixable::Never,
    check,
};

/// Found where allowances are applied.
fn check(_: &Context<'_>, _: &mut Found) {}
