//! `allow(rule)` where the rule finds nothing.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{BOTH, Fixable, Rule, Set};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unused-allowance",
    set: Set::Style,
    dialects: BOTH,
    summary: "`allow(rule)` where the rule finds nothing",
    effect: "It hides findings that may come later.",
    remedy: "Take it out.",
    fixable: Fixable::Never,
    check,
};

/// Found where allowances are applied.
fn check(_: &Context<'_>, _: &mut Found) {}
