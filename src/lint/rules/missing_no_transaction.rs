//! A statement that its server refuses inside a transaction.

use super::super::context::Context;
use super::super::context::Role;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use crate::sql::{Dialect, Verb, foreign_keys_pragma, foreign_keys_switch, keeps_references, refuses_transaction};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "missing-no-transaction",
    set: Set::Order,
    dialects: BOTH,
    summary: "A statement that its server refuses inside a transaction",
    effect: "The build refuses the script before it runs anything.",
    remedy: "Put `-- dbbuild: no-transaction` (SQLite's foreign keys: `-- dbbuild: foreign-keys off`) at the head of the file.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    if context.no_transaction || context.role == Role::Seed {
        return;
    }
    let own: Vec<_> = context.statements.iter().filter(|statement| !statement.nested).collect();
    let tokens: Vec<_> = own.iter().map(|statement| statement.tokens()).collect();
    let switch = match context.dialect {
        Dialect::Sqlite => foreign_keys_switch(&tokens),
        Dialect::Postgres => Vec::new(),
    };
    let foreign_keys_off = context.foreign_keys_off || context.dialect == Dialect::Sqlite && keeps_references(&tokens);
    let mut fixed = false;
    for (index, statement) in own.into_iter().enumerate() {
        let Some(why) = refuses_transaction(statement.tokens()) else { continue };
        let foreign_keys = foreign_keys_pragma(statement.tokens()).is_some();
        if foreign_keys && (foreign_keys_off || switch.contains(&index)) {
            continue;
        }
        let draft = found.report(&RULE, statement.span, why.to_owned());
        // What the directive does not help with is refused for another reason.
        let session = matches!(statement.head.verb, Verb::Attach | Verb::Detach);
        if !fixed && !foreign_keys && !session {
            fixed = true;
            draft.fix(Fix::insert("add the directive", 0, "-- dbbuild: no-transaction\n"));
        } else if !fixed && foreign_keys && statement.tokens().has_any(&["off", "false", "no"]) {
            fixed = true;
            let fix = Fix::insert("add the directive", 0, "-- dbbuild: foreign-keys off\n");
            draft.fix(fix.risky("foreign keys are then off around the whole script"));
        }
    }
}
