//! ADD COLUMN with a volatile default, serial, identity or a stored expression on a table that existed before.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::actions;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::ActionKind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "volatile-default",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "ADD COLUMN with a volatile default, serial, identity or a stored expression on a table that existed before",
    effect: "The table is rewritten under an exclusive lock.",
    remedy: "Add the column without it, set the default for new rows, and fill the old ones in batches.",
    fixable: Fixable::Never,
    check,
};

const VOLATILE: &[&str] = &[
    "random",
    "gen_random_uuid",
    "uuid_generate_v4",
    "clock_timestamp",
    "nextval",
    "uuid_generate_v1",
    "uuidv7",
    "uuidv4",
];

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in actions(context, ActionKind::AddColumn) {
        let tokens = statement.part(action.span);
        let rewrites = tokens.has_any(VOLATILE) && tokens.has_word("default")
            || tokens.has_any(&["serial", "bigserial", "smallserial", "stored"])
            || tokens.has_words(&["as", "identity"]);
        if rewrites {
            found.report(&RULE, action.span, "the table is rewritten under an exclusive lock");
        }
    }
}
