//! A script that reads rows which only a seed makes.

use super::super::context::{Context, Role};
use super::super::finding::Found;
use super::super::insert::read_tables;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use crate::sql::Verb;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "used-seed",
    set: Set::Order,
    dialects: BOTH,
    summary: "A script that reads rows which only a seed makes",
    effect: "Seeds come behind all scripts: from an empty database the rows are not there yet, on an old one they are, so the two end differently.",
    remedy: "Put the rows that the script needs into a script in front of it, or do the work in a seed.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    if context.role != Role::Script {
        return;
    }
    for statement in context.statements {
        let writes =
            matches!(statement.head.verb, Verb::Insert | Verb::Update | Verb::Delete | Verb::Merge | Verb::Replace);
        if !writes {
            continue;
        }
        let tables = read_tables(statement.tokens());
        let own = statement.head.name.as_ref();
        let used =
            tables.iter().find(|table| context.history.is_seeded(table) && !own.is_some_and(|own| own.matches(table)));
        if let Some(table) = used {
            let message = format!("the rows of {table} come from a seed, and seeds come behind the scripts");
            found.report(&RULE, statement.head_span(), message);
        }
    }
}
