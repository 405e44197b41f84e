//! A table rebuild (new table, INSERT SELECT, DROP, RENAME) without a guard around it.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::{guard, witness};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "table-rebuild",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "A table rebuild (new table, INSERT SELECT, DROP, RENAME) without a guard around it",
    effect: "A second run copies from the new shape: it fails where columns went or came, or runs the whole rebuild again.",
    remedy: "Put the whole into a group: `-- dbbuild: unless column table.new begin` to `-- dbbuild: end`.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    let Some(rebuild) = &context.rebuild else { return };
    let Some(unsettled) = rebuild.unsettled() else { return };
    let Some(first) = context.statements.iter().find(|statement| rebuild.holds(statement)) else { return };
    if first.is_guarded() {
        return;
    }
    let message = format!("a second run rebuilds {} from its new shape", unsettled.table);
    let draft = found.report(&RULE, first.head_span(), message);
    // A script is one change: what stands around the rebuild reads what it takes away.
    let narrow = || {
        // Inside a block there are no directives.
        let test = unsettled.test(context.dialect).filter(|_| !first.nested)?;
        Some(guard::group(context.text, rebuild.span, &test))
    };
    match witness::group(context).or_else(narrow) {
        Some(fix) => {
            draft.fix(fix);
        }
        None => {
            draft.help(
                "put the rebuild into a group that asks whether it was done: `-- dbbuild: unless query SELECT … begin`",
            );
        }
    }
}
