//! COPY … FROM without a guard.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::Verb;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "copied-rows",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "COPY … FROM without a guard",
    effect: "A second run fails on a key, or silently loads the rows again.",
    remedy: "Load into a temporary table and insert from there with ON CONFLICT, keep the rows as a CSV seed, or put a guard directive in front.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.head.verb == Verb::Copy) {
        let Some(table) = &statement.head.name else { continue };
        let loads = statement.find_words(&["from"]).is_some();
        if !loads || statement.is_guarded() || context.is_temporary(table) || context.emptied_before(table, statement) {
            continue;
        }
        let draft =
            found.report(&RULE, statement.head_span(), format!("a second run loads the rows into {table} again"));
        if context.made_here(table, statement) && statement.has_data {
            let name = statement.head.name_span.map_or("", |span| span.text(context.text));
            let query = format!("SELECT 1 FROM {name}");
            draft.fix(guard::directive(statement, &guard::Test::query(false, &query)));
        }
    }
}
