//! SET SCHEMA without a guard.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{POSTGRES, Fixable, Rule, Set};
use super::super::fix::Fix;
use super::super::{guard, shape};
use crate::sql::{ActionKind, Kind, Name};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-set-schema",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "SET SCHEMA without a guard",
    effect: "A second run stops with an error: the object is in the other schema.",
    remedy: "Write the schema in front of the name and `IF EXISTS`, so that the second run finds nothing to move.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let moves = statement.actions.iter().find(|action| action.kind == ActionKind::SetSchema);
        let (Some(action), Some(name), Some(kind)) = (moves, &statement.head.name, statement.head.kind) else { continue };
        let native = shape::is_relation(kind) || kind == Kind::ForeignTable;
        let safe = statement.is_guarded()
            || statement.caught().is_some()
            || native && statement.head.if_exists && name.is_qualified();
        if safe {
            continue;
        }
        let draft = found.report(&RULE, action.span, format!("a second run does not find {kind} {name} where it was"));
        if !native {
            draft.help("ask the catalog for where it is, in a DO block");
        } else if name.is_qualified() {
            let guard = guard::cased("IF EXISTS ", guard::is_lower(statement));
            draft.fix(Fix::insert("add IF EXISTS", statement.head.guard_slot, guard));
        } else if let Some(schema) = &action.name {
            // Unqualified, the search path decides; the target says whether it was moved.
            let moved = Name::new([schema.object(), name.object()]);
            draft.fix(guard::test(statement, &guard::Test::relation(false, kind.name(), &moved)));
        }
    }
}
