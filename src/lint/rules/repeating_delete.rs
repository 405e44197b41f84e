//! DELETE that takes other rows on each run.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::insert::read_tables;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::statement::Statement;
use super::super::witness;
use crate::sql::{Name, Tokens, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "repeating-delete",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "DELETE that takes other rows on each run",
    effect: "A second run deletes more: the newest row again, or the next so many.",
    remedy: "Name the rows by what they are, or put a guard directive in front.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.head.verb == Verb::Delete) {
        let Some(table) = &statement.head.name else { continue };
        if !statement.is_guarded() && !context.is_temporary(table) && takes_the_next(statement, table) {
            let message = format!("a second run deletes other rows of {table}: those that come next");
            found
                .report(&RULE, statement.head_span(), message)
                .help("name the rows by what they are")
                .fix(witness::group(context));
        }
    }
}

/// `= (SELECT max(…) FROM own)` or `IN (SELECT … FROM own LIMIT n)`.
fn takes_the_next(statement: &Statement<'_>, table: &Name) -> bool {
    let mut tokens = statement.tokens_behind_name();
    while tokens.peek().is_some() {
        let negated = tokens.eat_word("not");
        let equals = tokens.eat_operator("=");
        if !equals && !tokens.eat_word("in") {
            if !negated {
                tokens.next();
            }
            continue;
        }
        let mut inside = tokens;
        let Some(query) = inside.eat_parens().filter(|_| !negated) else { continue };
        let query = statement.part(query);
        let own = read_tables(query).iter().any(|read| read.matches(table));
        if own
            && !query.has_any(&["where", "group", "over", "having"])
            && (extreme(query, equals) || query.has_word("limit"))
        {
            return true;
        }
    }
    false
}

fn extreme(mut query: Tokens<'_>, equals: bool) -> bool {
    let mut inner = query;
    inner.next();
    inner.next();
    equals && inner.at_any(&["max", "min"]) && query.next().is_some()
}
