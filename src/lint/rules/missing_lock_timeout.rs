//! ALTER TABLE, DROP or a blocking lock on a table that is in use, without a lock timeout.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{POSTGRES, Fixable, Rule, Set};
use super::super::live::existing;
use crate::sql::{Kind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "missing-lock-timeout",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "ALTER TABLE, DROP or a blocking lock on a table that is in use, without a lock timeout",
    effect: "While the statement waits behind a long query, everybody else waits behind the statement.",
    remedy: "Write `-- dbbuild: lock-timeout 5s` at the head of the script, `SET LOCAL lock_timeout`, or give the target a `lock-timeout`, and allow this rule by its level.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    let head = context.statements.first().map_or(context.text.len(), |first| first.span.start);
    if context.text.get(..head).is_some_and(|lead| lead.contains("dbbuild: lock-timeout")) {
        return;
    }
    for statement in context.statements {
        let head = &statement.head;
        if head.verb == Verb::Set && statement.tokens().has_word("lock_timeout") || head.verb == Verb::Select && statement.tokens().any(|token| token.kind.is_string() && token.text(context.text) == "'lock_timeout'") {
            return;
        }
        let table = match (head.verb, head.kind) {
            (Verb::Alter | Verb::Drop, Some(Kind::Table)) | (Verb::Truncate | Verb::Lock, _) => head.name.as_ref(),
            (Verb::Create, Some(Kind::Index)) if !head.concurrently => head.table.as_ref(),
            (Verb::Create | Verb::Drop, Some(Kind::Trigger)) => head.table.as_ref(),
            _ => None,
        };
        if let Some(table) = table.filter(|table| existing(context, statement, table)) {
            let message = format!("everybody waits behind this while it waits for {table}: there is no lock timeout");
            found.report(&RULE, statement.head_span(), message).help("write `-- dbbuild: lock-timeout 5s` at the head of the script");
            return;
        }
    }
}
