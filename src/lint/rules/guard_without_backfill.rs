//! A guard directive on a column but not on the backfill behind it.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::statement::Guarding;
use super::super::update;
use crate::sql::{ActionKind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "guard-without-backfill",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "A guard directive on a column but not on the backfill behind it",
    effect: "If the first run stops in between, the backfill is never done; and on each run it changes rows that people have edited since.",
    remedy: "Make them one group: `-- dbbuild: unless column t.c begin` to `-- dbbuild: end`.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for pair in context.statements.windows(2) {
        let [guarded, backfill] = pair else { continue };
        let adds = guarded.actions.iter().find(|action| action.kind == ActionKind::AddColumn);
        let (Some(column), true) = (adds.and_then(|action| action.name.as_ref()), backfill.head.verb == Verb::Update) else {
            continue;
        };
        let single = guarded.guards.iter().any(|guard| matches!(guard, Guarding::Directive(guard) if !guard.group));
        if !single || backfill.is_guarded() || backfill.head.name != guarded.head.name {
            continue;
        }
        let update = update::read(backfill);
        let fills = update.assignments.iter().any(|assignment| assignment.column == column.object());
        // A WHERE that asks for what is not filled yet makes it safe.
        if fills && update.condition.is_none() {
            let message = format!("the guard of column {column} does not cover its backfill, which runs each time");
            let draft = found.report(&RULE, backfill.head_span(), message);
            draft.help("make both one group: `unless column … begin` to `end`");
        }
    }
}
