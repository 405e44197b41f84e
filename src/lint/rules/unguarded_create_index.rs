//! CREATE INDEX without IF NOT EXISTS.

use super::super::context::Context;
use super::super::creation::{Form, unguarded};
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::guard;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use crate::sql::Kind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-create-index",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "CREATE INDEX without IF NOT EXISTS",
    effect: "A second run stops with an error: the index exists.",
    remedy: "Write `CREATE INDEX IF NOT EXISTS name`.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context
        .statements
        .iter()
        .filter(|statement| statement.head.kind == Some(Kind::Index) && statement.head.name.is_some())
    {
        let head = &statement.head;
        if !unguarded(context, statement).is_some_and(|creation| creation.form == Form::IfNotExists) {
            continue;
        }
        let name = head.name.as_ref().map_or_else(|| "it".to_owned(), |name| format!("{} {name}", "index"));
        let draft = found.report(&RULE, statement.head_span(), format!("a second run fails: {name} exists"));
        let guard = guard::cased("IF NOT EXISTS ", guard::is_lower(statement));
        draft.fix(Fix::insert("add IF NOT EXISTS", head.guard_slot, guard));
    }
}
