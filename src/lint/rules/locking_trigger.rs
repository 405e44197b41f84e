//! CREATE, DROP, ENABLE or DISABLE of a trigger on a table that is in use.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::existing;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{Kind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "locking-trigger",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "CREATE, DROP, ENABLE or DISABLE of a trigger on a table that is in use",
    effect: "The table is locked against writes (a drop: against reads, too) until the transaction ends, and rows that are written while a trigger is off are never seen by it.",
    remedy: "Keep the transaction short and set a lock timeout; leave triggers on.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let head = &statement.head;
        let (table, what) = match (head.verb, head.kind) {
            (Verb::Create | Verb::Drop, Some(Kind::Trigger)) => (&head.table, "is locked until the transaction ends"),
            (Verb::Alter, Some(Kind::Table)) => {
                let words = statement.tokens_behind_name();
                let switches = words.at_any(&["enable", "disable"]) && words.has_word("trigger");
                if !switches {
                    continue;
                }
                (&head.name, "is locked until the transaction ends, and other sessions' rows pass by the trigger")
            }
            _ => continue,
        };
        let Some(table) = table.as_ref().filter(|table| existing(context, statement, table)) else { continue };
        found.report(&RULE, statement.head_span(), format!("{table} {what}"));
    }
}
