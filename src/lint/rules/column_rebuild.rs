//! A column that is copied, dropped and replaced by its copy under the old name.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::guard;
use super::super::rule::{BOTH, Fixable, Rule, Set};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "column-rebuild",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "A column that is copied, dropped and replaced by its copy under the old name",
    effect: "A second run copies from the new column: it fails on the new type, or converts the values once more.",
    remedy: "Put the whole into a group that asks for the new type: `-- dbbuild: unless query … begin` to `-- dbbuild: end`.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    let Some(swap) = context.swap.as_ref().filter(|swap| !swap.repeats) else { return };
    let Some(first) = context.statements.iter().find(|statement| statement.span.start == swap.span.start) else {
        return;
    };
    if first.is_guarded() || first.nested {
        return;
    }
    let message = format!("a second run replaces {} of {} by a copy of itself", swap.column, swap.table);
    let draft = found.report(&RULE, first.head_span(), message);
    match &swap.test {
        Some(test) => {
            draft.fix(guard::group(context.text, swap.span, test));
        }
        None => {
            draft.help("put it into a group that asks whether it was done: `-- dbbuild: unless query SELECT … begin`");
        }
    }
}
