//! Search_path set in a script without LOCAL.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::Verb;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "kept-search-path",
    set: Set::Security,
    dialects: POSTGRES,
    summary: "search_path set in a script without LOCAL",
    effect: "The rest of the script, and with other runners the scripts behind it, look names up elsewhere.",
    remedy: "Write `SET LOCAL search_path`, or qualify the names.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    if context.no_transaction {
        return;
    }
    for statement in context.statements.iter().filter(|statement| statement.head.verb == Verb::Set) {
        let mut tokens = statement.tokens();
        tokens.next();
        tokens.eat_word("session");
        let reset = context.behind(statement).any(|other| {
            let mut tokens = other.tokens();
            matches!(other.head.verb, Verb::Set | Verb::Reset) && tokens.skip_past("search_path")
        });
        if tokens.at_word("search_path") && !reset {
            found
                .report(&RULE, statement.span, "the path stays set behind this script")
                .help("write SET LOCAL search_path");
        }
    }
}
