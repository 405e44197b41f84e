//! DROP of what the script makes again, and what it makes further down needs.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::guard;
use super::super::history::dropped;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::statement::Statement;
use crate::sql::{Kind, Name, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "needed-by-later",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "DROP of what the script makes again, and what it makes further down needs",
    effect: "A second run stops with an error: the view that the first run made further down depends on it.",
    remedy: "Drop what depends on it first, with `IF EXISTS`.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for drop in context.structure.iter().filter(|statement| statement.head.verb == Verb::Drop) {
        let kinds = [Kind::View, Kind::MaterializedView, Kind::Function, Kind::Table, Kind::Type];
        let names = dropped(drop);
        let ([name], true) = (names.as_slice(), drop.head.kind.is_some_and(|kind| kinds.contains(&kind))) else { continue };
        if drop.is_guarded() || drop.caught().is_some() || drop.tokens().has_word("cascade") {
            continue;
        }
        let Some(again) = context.behind(drop).find(|other| makes(other, name) && other.head.kind == drop.head.kind) else { continue };
        let Some(needs) = context.behind(again).find(|other| depends(context, drop, other, name)) else { continue };
        let (Some(kind), Some(written)) = (needs.head.kind, needs.head.name_span) else { continue };
        let message = format!("a second run fails: {} {}, made further down, needs {name}", kind.name(), written.text(context.text));
        let text = format!("DROP {} IF EXISTS ", kind.name().to_uppercase());
        let text = guard::cased(&text, guard::is_lower(drop)) + written.text(context.text) + ";\n";
        found.report(&RULE, drop.head_span(), message).fix(Fix::insert("drop that first", drop.span.start, text));
    }
}

fn makes(statement: &Statement<'_>, name: &Name) -> bool {
    statement.head.verb == Verb::Create && statement.head.name.as_ref().is_some_and(|made| made.matches(name))
}

/// A view further down that reads it, is there at the end, and is not dropped in front.
fn depends(context: &Context<'_>, drop: &Statement<'_>, other: &Statement<'_>, name: &Name) -> bool {
    let is_view = matches!(other.head.kind, Some(Kind::View | Kind::MaterializedView)) && other.head.verb == Verb::Create;
    let Some(own) = other.head.name.as_ref().filter(|own| is_view && !own.matches(name)) else { return false };
    let drops = |statement: &&Statement<'_>| {
        statement.head.verb == Verb::Drop && dropped(statement).iter().any(|dropped| dropped.matches(own))
    };
    let mut reads = false;
    let mut tokens = other.tokens_behind_name();
    while tokens.peek().is_some() {
        match tokens.eat_name() {
            Some((read, _)) => reads |= read.matches(name),
            None => {
                tokens.next();
            }
        }
    }
    reads && !context.before(drop).any(|before| drops(&before)) && !context.behind(other).any(|behind| drops(&behind))
}
