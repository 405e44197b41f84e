//! CREATE of a view, function, procedure, rule or trigger without OR REPLACE.

use super::super::context::Context;
use super::super::creation::{Form, unguarded};
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "create-without-replace",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "CREATE of a view, function, procedure, rule or trigger without OR REPLACE",
    effect: "A second run stops with an error: the object exists.",
    remedy: "Write `CREATE OR REPLACE`. A view can only gain columns that way, and a function cannot change its result type: drop it first then.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        if !unguarded(context, statement).is_some_and(|creation| creation.form == Form::OrReplace) {
            continue;
        }
        let head = &statement.head;
        let kind = head.kind.map_or("object", |kind| kind.name());
        let name = head.name.as_ref().map_or_else(|| "it".to_owned(), |name| format!("{kind} {name}"));
        let draft = found.report(&RULE, statement.head_span(), format!("a second run fails: {name} exists"));
        let text = guard::cased(" OR REPLACE", guard::is_lower(statement));
        draft.fix(Fix::insert("add OR REPLACE", head.replace_slot, text));
    }
}
