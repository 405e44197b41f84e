//! ATTACH, DETACH or VACUUM INTO in a script.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, Rule, SQLITE, Set};
use super::super::statement::Statement;
use crate::sql::Verb;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "attached-database",
    set: Set::Idempotency,
    dialects: SQLITE,
    summary: "ATTACH, DETACH or VACUUM INTO in a script",
    effect: "A second run stops with an error, and what a script makes must not depend on files beside the database.",
    remedy: "Take it out: the target says which database it is. What a script attaches, it has to detach.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| !statement.is_guarded()) {
        if matches!(statement.head.verb, Verb::Attach | Verb::Detach) && !goes_again(context, statement) {
            let message = "a second run on the same connection fails, and no other database is known elsewhere";
            found.report(&RULE, statement.span, message);
        }
        if statement.head.verb == Verb::Vacuum && statement.tokens().has_word("into") {
            found.report(&RULE, statement.span, "a second run fails: the file is there");
        }
    }
}

/// What a script attaches and detaches again is free for a second run.
fn goes_again(context: &Context<'_>, statement: &Statement<'_>) -> bool {
    // The name stands at the end of both.
    let name = |statement: &Statement<'_>| {
        statement.tokens().last().map(|token| token.text(context.text).to_ascii_lowercase())
    };
    let is_other =
        |other: &Statement<'_>, verb| other.head.verb == verb && !other.is_guarded() && name(other) == name(statement);
    match statement.head.verb {
        Verb::Attach => context.behind(statement).any(|other| is_other(other, Verb::Detach)),
        _ => context.before(statement).any(|other| is_other(other, Verb::Attach)),
    }
}
