//! ADD of a CHECK, UNIQUE or FOREIGN KEY constraint without a name.

use super::super::alteration::alterations_of_any;
use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::{generated, guard};
use crate::sql::{ActionKind, Name};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unnamed-constraint",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "ADD of a CHECK, UNIQUE or FOREIGN KEY constraint without a name",
    effect: "A second run succeeds and silently adds the same constraint again under another generated name.",
    remedy: "Give it a name, so that it can be recognised, and guard it.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in alterations_of_any(context, ActionKind::AddConstraint) {
        let Some(owner) = &statement.head.name else { continue };
        let mut tokens = statement.part(action.span);
        tokens.eat_word("add");
        if !tokens.at_any(&["check", "unique", "foreign", "exclude"]) || statement.caught().is_some() {
            continue;
        }
        let slot = tokens.start();
        let message = format!("a second run adds a second constraint to {owner}: it has no name to be recognised by");
        let draft = found.report(&RULE, action.span, message);
        let Some(name) = generated::of_action(context, statement, action) else { continue };
        if context.table(owner, statement).is_some_and(|table| table.constraints.contains(&name)) {
            continue;
        }
        let text = guard::cased("CONSTRAINT ", guard::is_lower(statement));
        // The name that PostgreSQL would have made, so that databases stay the same.
        let text = format!("{text}{} ", Name::new([name.as_str()]));
        draft.fix(Fix::insert("give it the name that PostgreSQL gives it", slot, text));
    }
}
