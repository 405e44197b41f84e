//! `allow(rule)` without a reason.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{BOTH, Fixable, Rule, Set};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "allowed-without-reason",
    set: Set::Style,
    dialects: BOTH,
    summary: "`allow(rule)` without a reason",
    effect: "Nobody will know why it was right.",
    remedy: "Write the reason behind it.",
    fixable: Fixable::Never,
    check,
};

/// Found where allowances are applied.
fn check(_: &Context<'_>, _: &mut Found) {}
