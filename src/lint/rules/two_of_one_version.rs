//! Two scripts of one version.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{BOTH, Fixable, Rule, Set};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "two-of-one-version",
    set: Set::Order,
    dialects: BOTH,
    summary: "Two scripts of one version",
    effect: "A build refuses them: the journal has one entry for a version. `1`, `01` and `001` are one version.",
    remedy: "`dbbuild renumber` gives the unmerged one the next version.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    if let Some(message) = context.twin {
        let end = context.text.find('\n').unwrap_or(context.text.len());
        found.report(&RULE, crate::sql::Span::new(0, end), message).help("run `dbbuild renumber`");
    }
}
