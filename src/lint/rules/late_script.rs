//! A script that is older than the newest one of the main branch.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{BOTH, Fixable, Rule, Set};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "late-script",
    set: Set::Order,
    dialects: BOTH,
    summary: "A script that is older than the newest one of the main branch",
    effect: "Databases that are at the newer version run it late: in another order than a fresh build.",
    remedy: "`dbbuild renumber` gives it the next version.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    if let Some(newer) = context.late {
        let end = context.text.find('\n').unwrap_or(context.text.len());
        let message = format!("the main branch has {newer}, which is newer: this script would run late");
        found.report(&RULE, crate::sql::Span::new(0, end), message).help("run `dbbuild renumber`");
    }
}
