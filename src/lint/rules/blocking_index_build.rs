//! CREATE INDEX without CONCURRENTLY on a table that existed before.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::existing;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::Kind;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "blocking-index-build",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "CREATE INDEX without CONCURRENTLY on a table that existed before",
    effect: "Writes to the table wait until the index is built.",
    remedy: "`CREATE INDEX CONCURRENTLY` in a script with `-- dbbuild: no-transaction`.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.head.creates(Kind::Index)) {
        let Some(table) = statement.head.table.as_ref().filter(|_| !statement.head.concurrently) else { continue };
        if existing(context, statement, table) {
            let message = format!("writes to {table} wait until the index is built");
            found
                .report(&RULE, statement.head_span(), message)
                .help("write CREATE INDEX CONCURRENTLY in a script with `-- dbbuild: no-transaction`");
        }
    }
}
