//! UPDATE or DELETE of a whole table.

use super::super::context::Context;
use super::super::context::Role;
use super::super::finding::Found;
use super::super::live::existing;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::Verb;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unbounded-update",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "UPDATE or DELETE of a whole table",
    effect: "All rows are locked and written in one transaction.",
    remedy: "Do it in batches: `-- dbbuild: repeat until 0 rows` in a script without a transaction.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let writes = matches!(statement.head.verb, Verb::Update | Verb::Delete);
        let Some(table) = statement.head.name.as_ref().filter(|_| writes) else { continue };
        let bounded = statement.find_words(&["where"]).is_some() || context.role == Role::Seed;
        if !bounded && existing(context, statement, table) && !context.is_temporary(table) {
            let message = format!("every row of {table} is locked and written in one transaction");
            found.report(&RULE, statement.head_span(), message);
        }
    }
}
