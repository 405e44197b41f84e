//! DROP CONSTRAINT, DROP NOT NULL or DROP DATABASE.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::actions;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{ActionKind, Kind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "dropped-constraint",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "DROP CONSTRAINT, DROP NOT NULL or DROP DATABASE",
    effect: "Programs that rely on what it promised meet rows that they do not expect; a database is gone with all that is in it.",
    remedy: "Drop it when no program relies on it any more; a constraint that comes back changed belongs into the same statement.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context
        .statements
        .iter()
        .filter(|statement| statement.head.verb == Verb::Drop && statement.head.kind == Some(Kind::Database))
    {
        found.report(&RULE, statement.head_span(), "the database is gone with all that is in it");
    }
    for (statement, action) in actions(context, ActionKind::DropConstraint) {
        let again = statement.actions.iter().chain(context.behind(statement).flat_map(|other| &other.actions));
        let comes_back =
            again.into_iter().any(|other| other.kind == ActionKind::AddConstraint && other.name == action.name);
        if !comes_back && let Some(name) = &action.name {
            found.report(&RULE, action.span, format!("what constraint {name} promised holds no longer"));
        }
    }
    for (statement, action) in actions(context, ActionKind::AlterColumn) {
        if statement.part(action.span).has_words(&["drop", "not", "null"])
            && let Some(column) = &action.name
        {
            found.report(&RULE, action.span, format!("programs that read {column} meet NULL from now on"));
        }
    }
}
