//! Work on rows behind a statement that locks a table exclusively, in one transaction.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::existing;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{Kind, Name, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "long-lock",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "Work on rows behind a statement that locks a table exclusively, in one transaction",
    effect: "The lock is held until the transaction ends, so everybody waits for the rows' work too.",
    remedy: "Put the work on rows into a script of its own.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    if context.no_transaction {
        return;
    }
    let mut locked: Option<Name> = None;
    for statement in context.statements {
        let head = &statement.head;
        if let (Some(table), Verb::Update | Verb::Delete | Verb::Insert) = (&locked, head.verb) {
            let from = statement.head.verb != Verb::Insert || statement.tokens_behind_name().has_word("select");
            let own = head.name.as_ref().is_some_and(|name| existing(context, statement, name));
            if from && own {
                let message = format!("{table} stays locked against reads and writes while this runs");
                found
                    .report(&RULE, statement.head_span(), message)
                    .help("put the work on rows into a script of its own");
                return;
            }
        }
        let alters = head.verb == Verb::Alter && head.kind == Some(Kind::Table);
        if let Some(name) = head.name.as_ref().filter(|name| alters && existing(context, statement, name)) {
            locked = Some(name.clone());
        }
    }
}
