//! ALTER DOMAIN ADD CONSTRAINT or SET NOT NULL.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{Kind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "domain-constraint",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "ALTER DOMAIN ADD CONSTRAINT or SET NOT NULL",
    effect: "Every table with a column of the domain is scanned under a lock against writes.",
    remedy: "Add it `NOT VALID`, and `ALTER DOMAIN … VALIDATE CONSTRAINT` in a later script; or put a CHECK on the columns.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context
        .statements
        .iter()
        .filter(|statement| statement.head.verb == Verb::Alter && statement.head.kind == Some(Kind::Domain))
    {
        let Some(name) = &statement.head.name else { continue };
        let made = context
            .before(statement)
            .any(|other| other.head.creates(Kind::Domain) && other.head.name.as_ref() == Some(name));
        let words = statement.tokens_behind_name();
        let scans =
            words.at_word("add") && !words.has_words(&["not", "valid"]) || words.has_words(&["set", "not", "null"]);
        if scans && !made {
            found.report(
                &RULE,
                statement.head_span(),
                format!("every table with a column of {name} is scanned under a lock"),
            );
        }
    }
}
