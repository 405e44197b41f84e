//! ADD UNIQUE, PRIMARY KEY or EXCLUDE that builds its index under a lock.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::actions;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::ActionKind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "blocking-unique-constraint",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "ADD UNIQUE, PRIMARY KEY or EXCLUDE that builds its index under a lock",
    effect: "Reads and writes of the table wait until the index is built.",
    remedy: "Build a unique index CONCURRENTLY, then `ADD CONSTRAINT … USING INDEX`.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for kind in [ActionKind::AddConstraint, ActionKind::AddColumn] {
        for (statement, action) in actions(context, kind) {
            let tokens = statement.part(action.span);
            let builds = tokens.has_any(&["unique", "exclude"]) || tokens.has_words(&["primary", "key"]);
            let is_key =
                builds && !tokens.has_words(&["using", "index"]) && !tokens.has_any(&["foreign", "references"]);
            if is_key {
                let draft = found.report(&RULE, action.span, "reads and writes wait until the index is built");
                draft.help("build a unique index CONCURRENTLY, then ADD CONSTRAINT … USING INDEX");
            }
        }
    }
}
