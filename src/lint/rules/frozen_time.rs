//! `'now'::timestamp` in a view or a default.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::{Edit, Fix};
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::statement::Statement;
use crate::sql::{ActionKind, Kind, Span, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "frozen-time",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "`'now'::timestamp` in a view or a default",
    effect: "The server reads the text once, when the view is made: it shows that moment for ever, and another one after each run.",
    remedy: "Write `now()` or `current_date`, which are asked each time.",
    fixable: Fixable::Unsafe,
    check,
};

/// The words that date and time types take for a moment (manual, 8.5.1.4).
const WORDS: &[&str] = &["'now'", "'today'", "'tomorrow'", "'yesterday'"];
const TYPES: &[&str] = &["timestamp", "timestamptz", "date", "time", "timetz"];

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| !statement.is_guarded()) {
        for part in parts(statement) {
            let Some((word, cast)) = frozen(statement, part) else { continue };
            let written = word.text(context.text);
            let message = format!("each run writes another moment for good: {written} is read when this is made");
            let draft =
                found.report(&RULE, word, message).help("write `now()`, or `current_date` and what is to be added");
            if cast && written.eq_ignore_ascii_case("'now'") {
                let fix = Fix::edits("ask for the time each time", vec![Edit::replace(word, "now()")]);
                draft.fix(fix.risky("what showed the moment of the first run shows the time of each reading"));
            }
        }
    }
}

/// What a second run writes anew: a view's query, a default that is set.
fn parts(statement: &Statement<'_>) -> Vec<Span> {
    let head = &statement.head;
    let is_view = matches!(head.kind, Some(Kind::View | Kind::MaterializedView)) && !head.if_not_exists;
    if head.verb == Verb::Create && is_view && !head.temporary {
        return vec![statement.span];
    }
    let sets = |span: &Span| statement.part(*span).has_words(&["set", "default"]);
    let alters = statement.actions.iter().filter(|action| action.kind == ActionKind::AlterColumn);
    alters.map(|action| action.span).filter(sets).collect()
}

/// The text that is read, and whether a cast stands behind it.
fn frozen(statement: &Statement<'_>, part: Span) -> Option<(Span, bool)> {
    let mut tokens = statement.part(part);
    let mut in_front = false;
    while let Some(token) = tokens.peek() {
        let text = token.text(statement.text).to_ascii_lowercase();
        tokens.next();
        if WORDS.contains(&text.as_str()) {
            let mut behind = tokens;
            let cast = behind.eat_operator("::") && behind.at_any(TYPES);
            if cast || in_front {
                return Some((token.span, cast));
            }
        }
        in_front = TYPES.contains(&text.as_str());
    }
    None
}
