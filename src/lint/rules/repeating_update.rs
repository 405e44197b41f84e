//! UPDATE that moves on with each run.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::update;
use crate::sql::Verb;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "repeating-update",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "UPDATE that moves on with each run",
    effect: "A second run changes the rows again: `x = x + 1`, a text appended once more, a toggle, a new random value.",
    remedy: "Add a WHERE that is false after the first run, or compute the value from what the statement does not change, or put a guard directive in front.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.head.verb == Verb::Update) {
        if statement.is_guarded() || statement.head.name.as_ref().is_some_and(|name| context.is_temporary(name)) {
            continue;
        }
        let update = update::read(statement);
        if let Some(why) = update::moves_on(statement, &update)
            && super::super::tree::agrees(statement)
        {
            let draft = found.report(&RULE, statement.head_span(), format!("a second run changes rows again: {why}"));
            draft.help("add a WHERE that is false after the first run, or a guard directive");
        }
    }
}
