//! DROP without IF EXISTS.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::routine::same_arguments;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::statement::Statement;
use super::super::{facts, guard, shape};
use crate::sql::{Dialect, Kind, Name, Span, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-drop",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "DROP without IF EXISTS",
    effect: "A second run stops with an error: the object is gone.",
    remedy: "Write `DROP … IF EXISTS`.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let head = &statement.head;
        let (Verb::Drop, Some(kind)) = (head.verb, head.kind) else { continue };
        if let Some(other) = becomes(context, statement, kind) {
            let Some(name) = &head.name else { continue };
            let message =
                format!("a second run fails: {name} is a {other} by then, which IF EXISTS does not help with");
            let draft = found.report(&RULE, statement.head_span(), message);
            if matches!(kind, Kind::Table | Kind::View) {
                draft.fix(guard::directive(statement, &guard::Test::relation(true, kind.name(), name)));
            }
            continue;
        }
        let safe = head.if_exists
            || statement.is_guarded()
            || kind == Kind::Owned
            || statement.caught().is_some()
            || made_before(context, statement)
            || made_again(context, statement)
            || !super::super::tree::agrees(statement);
        if safe {
            continue;
        }
        let name = head.name.as_ref().map_or_else(|| kind.name().to_owned(), |name| format!("{kind} {name}"));
        let draft = found.report(&RULE, statement.head_span(), format!("a second run fails: {name} is gone"));
        let guard = guard::cased("IF EXISTS ", guard::is_lower(statement));
        draft.fix(Fix::insert("add IF EXISTS", head.guard_slot, guard));
    }
}

/// Returns what the script makes of another kind under the name that a statement drops, and leaves.
fn becomes(context: &Context<'_>, statement: &Statement<'_>, kind: Kind) -> Option<&'static str> {
    let name = statement.head.name.as_ref()?;
    if !shape::is_relation(kind) || statement.is_guarded() || statement.caught().is_some() {
        return None;
    }
    let last = context.made_or_dropped_behind(name, statement).max_by_key(|other| other.span.start)?;
    // A virtual table is dropped as a table is.
    let other = |made: &Kind| shape::is_relation(*made) && *made != kind && *made != Kind::VirtualTable;
    let made = last.head.kind.filter(other)?;
    (last.head.verb == Verb::Create && !last.head.temporary).then(|| made.name())
}

/// What the script itself makes before is there to be dropped, on each run.
fn made_before(context: &Context<'_>, statement: &Statement<'_>) -> bool {
    let head = &statement.head;
    let Some(name) = &head.name else { return false };
    facts::dropped(statement).len() == 1
        && context.before(statement).any(|other| {
            head.kind == Some(Kind::Table) && into(other).is_some_and(|made| made.matches(name))
                || other.head.verb == Verb::Create
                    && other.head.kind == head.kind
                    && !other.is_guarded()
                    && other.head.name.as_ref().is_some_and(|made| made.matches(name))
                    && same_arguments(other, statement)
        })
}

/// What the script makes again further down, and leaves, is there to be dropped on a second run.
fn made_again(context: &Context<'_>, statement: &Statement<'_>) -> bool {
    let names = facts::dropped(statement);
    let comes_back = |name: &Name| {
        let same = |other: &&Statement<'_>| {
            other.head.kind == statement.head.kind
                && (names.len() > 1 || same_arguments(other, statement))
                && (!statement.head.kind.is_some_and(Kind::is_on_table)
                    || context.dialect == Dialect::Sqlite
                    || other.head.table == statement.head.table)
        };
        let about = context.made_or_dropped_behind(name, statement).filter(same);
        about
            .max_by_key(|other| other.span.start)
            .is_some_and(|last| last.head.verb == Verb::Create && !last.is_guarded())
    };
    !names.is_empty() && names.iter().all(comes_back)
}

/// `SELECT … INTO [TEMPORARY] name`.
fn into(statement: &Statement<'_>) -> Option<Name> {
    let span = (statement.head.verb == Verb::Select).then(|| statement.find_words(&["into"]))??;
    let mut behind = statement.part(Span::new(span.end, statement.span.end));
    behind.eat_any(&["temp", "temporary", "unlogged"]);
    behind.eat_word("table");
    behind.eat_name().map(|(name, _)| name)
}
