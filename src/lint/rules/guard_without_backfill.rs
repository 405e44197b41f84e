//! A guard directive on a column but not on the backfill behind it.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::{Edit, Fix};
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::statement::{Guarding, Statement};
use super::super::update;
use crate::script::{Directive, body};
use crate::sql::{ActionKind, Lexer, Span, TokenKind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "guard-without-backfill",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "A guard directive on a column but not on the backfill behind it",
    effect: "If the first run stops in between, the backfill is never done; and on each run it changes rows that people have edited since.",
    remedy: "Make them one group: `-- dbbuild: unless column t.c begin` to `-- dbbuild: end`.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for pair in context.statements.windows(2) {
        let [guarded, backfill] = pair else { continue };
        let adds = guarded.actions.iter().find(|action| action.kind == ActionKind::AddColumn);
        let (Some(column), true) = (adds.and_then(|action| action.name.as_ref()), backfill.head.verb == Verb::Update)
        else {
            continue;
        };
        let single = guarded.guards.iter().any(|guard| matches!(guard, Guarding::Directive(guard) if !guard.group));
        if !single || backfill.is_guarded() || backfill.head.name != guarded.head.name {
            continue;
        }
        let update = update::read(backfill);
        let fills = update.assignments.iter().any(|assignment| assignment.column == column.object());
        // A WHERE that asks for what is not filled yet makes it safe.
        if fills && update.condition.is_none() {
            let message = format!("the guard of column {column} does not cover its backfill, which runs each time");
            let draft = found.report(&RULE, backfill.head_span(), message);
            draft.help("make both one group: `unless column … begin` to `end`");
            if guarded.guards.len() == 1 {
                draft.fix(group(context, guarded, backfill));
            }
        }
    }
}

/// Makes the guard that of a group that ends behind the backfill.
fn group(context: &Context<'_>, guarded: &Statement<'_>, backfill: &Statement<'_>) -> Option<Fix> {
    let lead = Span::new(context.before(guarded).last().map_or(0, |before| before.end), guarded.span.start);
    let comments = Lexer::part(context.text, lead, context.dialect).map_while(Result::ok);
    let is_guard =
        |text: &str| body(text).is_some_and(|text| matches!(Directive::parse(text), Ok(Directive::Guard(_))));
    let written =
        comments.filter(|token| token.kind == TokenKind::LineComment && is_guard(token.text(context.text))).last()?;
    let begin = written.span.start + written.text(context.text).trim_end().len();
    // What stands behind the statement on its line is a remark on it.
    let rest = context.text.get(backfill.end..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default().trim_end();
    let is_remark = line.trim_start().is_empty() || line.trim_start().starts_with("--");
    let end = backfill.end + if is_remark { line.len() } else { 0 };
    let semicolon = if backfill.end == backfill.span.end { ";" } else { "" };
    let edits = vec![
        Edit::insert(begin, " begin"),
        Edit::insert(backfill.end, semicolon),
        Edit::insert(end, "\n-- dbbuild: end"),
    ];
    Some(Fix::edits("make both one group", edits.into_iter().filter(|edit| !edit.text.is_empty()).collect()))
}
