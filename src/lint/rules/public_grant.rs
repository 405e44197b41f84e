//! A grant to PUBLIC, or of ALL with GRANT OPTION.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{Kind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "public-grant",
    set: Set::Security,
    dialects: POSTGRES,
    summary: "A grant to PUBLIC, or of ALL with GRANT OPTION",
    effect: "Every role of the server, those to come included, has the right.",
    remedy: "Grant to the roles that need it.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let grants = statement.head.verb == Verb::Grant
            || statement.head.verb == Verb::Alter
                && statement.head.kind == Some(Kind::DefaultPrivileges)
                && statement.tokens().has_word("grant");
        if !grants {
            continue;
        }
        if let Some(span) = statement.find_words(&["to", "public"]) {
            found.report(&RULE, span, "every role of the server gets this right, those to come included");
        }
    }
}
