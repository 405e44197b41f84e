//! A value of an enum used in the transaction that adds it.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{ActionKind, Kind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "fresh-enum-value",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "A value of an enum used in the transaction that adds it",
    effect: "The server refuses it: the value cannot be used before the transaction ends.",
    remedy: "Add the value in a script of its own.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    if context.no_transaction {
        return;
    }
    for statement in context.statements {
        for action in statement.actions.iter().filter(|action| action.kind == ActionKind::AddValue) {
            let Some(label) = statement.part(action.span).find(|token| token.kind.is_string()) else { continue };
            let label = label.text(context.text);
            for other in context
                .behind(statement)
                .filter(|other| other.head.verb != Verb::Alter || other.head.kind == Some(Kind::Table))
            {
                if let Some(used) =
                    other.tokens().find(|token| token.kind.is_string() && token.text(context.text) == label)
                {
                    let message = format!("{label} cannot be used in the transaction that adds it");
                    found.report(&RULE, used.span, message).help("add the value in a script of its own");
                    break;
                }
            }
        }
    }
}
