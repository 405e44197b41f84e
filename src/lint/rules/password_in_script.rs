//! A password in a script.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{Kind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "password-in-script",
    set: Set::Security,
    dialects: POSTGRES,
    summary: "A password in a script",
    effect: "It is in source control, in the server's log and in the journal, and the same everywhere.",
    remedy: "Create the role without one and set it outside, or use another way to authenticate.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let role =
            matches!(statement.head.kind, Some(Kind::Role | Kind::UserMapping | Kind::Subscription | Kind::Server));
        if !role || !matches!(statement.head.verb, Verb::Create | Verb::Alter) {
            continue;
        }
        let mut tokens = statement.tokens();
        while let Some(token) = tokens.next() {
            let secret = token.is_word(context.text, "password")
                && tokens.peek().is_some_and(|next| next.kind.is_string() && next.span.len() > 2);
            let inside = token.kind.is_string()
                && statement.head.kind == Some(Kind::Subscription)
                && token.text(context.text).contains("password=");
            if secret || inside {
                found.report(&RULE, token.span, "a password in source control, in the server's log and in the journal");
            }
        }
    }
}
