//! CREATE of a type, role, cast, publication or another kind that has no guard clause, without a test around it.

use super::super::context::Context;
use super::super::creation::{Form, unguarded};
use super::super::finding::Found;
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::quote_literal;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "create-without-test",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "CREATE of a type, role, cast, publication or another kind that has no guard clause, without a test around it",
    effect: "A second run stops with an error: these kinds have no IF NOT EXISTS in any version.",
    remedy: "Put it into a `DO` block that tests the catalog or catches the right condition (`duplicate_function` for an operator, `unique_violation` for text search), or use a guard directive.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let Some(creation) = unguarded(context, statement) else { continue };
        let head = &statement.head;
        let kind = head.kind.map_or("object", |kind| kind.name());
        let name = head.name.as_ref().map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}"));
        let message = format!("a second run fails: {name} exists, and CREATE {} has no guard", kind.to_uppercase());
        match creation.form {
            Form::Catch => {
                let draft = found.report(&RULE, statement.head_span(), message);
                draft.fix(guard::catch(statement, creation.raises));
            }
            Form::Query(query) => {
                let draft = found.report(&RULE, statement.head_span(), message);
                if let Some(name) = &head.name {
                    let literal = quote_literal(context.dialect, name.object());
                    let test = guard::Test::query(false, &format!("{query}{literal}"));
                    draft.fix(guard::directive(statement, &test));
                }
            }
            Form::IfNotExists | Form::OrReplace | Form::DropFirst => {}
        }
    }
}
