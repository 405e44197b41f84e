//! CREATE INDEX (or STATISTICS) without a name.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::statement::Statement;
use super::super::{generated, guard};
use crate::sql::{Kind, Name, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unnamed-index",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "CREATE INDEX (or STATISTICS) without a name",
    effect: "A second run silently makes the same index again under another generated name; IF NOT EXISTS needs a name.",
    remedy: "Give it a name and write `IF NOT EXISTS`.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let head = &statement.head;
        let kind = head.kind.filter(|kind| matches!(kind, Kind::Index | Kind::Statistics));
        let (Some(kind), true, None) = (kind, head.verb == Verb::Create, &head.name) else { continue };
        let of_temporary = head.table.as_ref().is_some_and(|table| context.is_temporary(table));
        if of_temporary
            || statement.is_guarded()
            || context.dropped_before(statement)
            || !super::super::tree::agrees(statement)
        {
            continue;
        }
        let message = format!("a second run makes a second {kind}: it has no name to be recognised by");
        let draft = found.report(&RULE, statement.head_span(), message);
        if let Some(name) = free(context, statement) {
            let guard = guard::cased("IF NOT EXISTS ", guard::is_lower(statement));
            // The name that PostgreSQL would have made, so that databases stay the same.
            let text = format!("{guard}{} ", quoted(&name));
            draft.fix(Fix::insert("give it the name that PostgreSQL gives it", head.guard_slot, text));
        }
    }
}

/// The name that PostgreSQL makes: with a number behind it where there is one of that name.
fn free(context: &Context<'_>, statement: &Statement<'_>) -> Option<String> {
    let name = generated::of_index(statement)?;
    let before = || context.before(statement).filter(|other| other.head.verb == Verb::Create);
    let taken = |name: &String| {
        let has_it = |other: &Statement<'_>| other.head.name.as_ref().is_some_and(|other| other.object() == name);
        let earlier = context.history.other(Kind::Index, &Name::new([name.as_str()]), (context.source, 0));
        before().any(has_it) || earlier.is_some()
    };
    // Those in front that have no name either get theirs first.
    let alike = before().filter(|other| {
        let is_unnamed = other.head.kind == statement.head.kind && other.head.name.is_none();
        is_unnamed && generated::of_index(other).is_some_and(|other| other == name)
    });
    generated::numbered(&name)
        .filter(|name| !taken(name))
        .nth(alike.count())
        .filter(|name| name.len() <= generated::LONGEST)
}

fn quoted(name: &str) -> String {
    Name::new([name]).to_string()
}
