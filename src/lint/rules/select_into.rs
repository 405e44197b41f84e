//! SELECT … INTO a new table.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::{Edit, Fix};
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{Span, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "select-into",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "SELECT … INTO a new table",
    effect: "A second run stops with an error: the table exists, and SELECT INTO has no guard.",
    remedy: "Write `CREATE TABLE IF NOT EXISTS name AS SELECT …`.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.head.verb == Verb::Select) {
        if statement.is_guarded() || statement.nested {
            continue;
        }
        let Some(into) = statement.find_words(&["into"]) else { continue };
        let mut behind = statement.part(Span::new(into.end, statement.span.end));
        let temporary = behind.eat_any(&["temp", "temporary"]).is_some();
        behind.eat_any(&["unlogged", "table"]);
        let Some((name, span)) = behind.eat_name() else { continue };
        if !temporary && name.schema() != Some("pg_temp") {
            let draft = found.report(&RULE, into.join(span), format!("a second run fails: table {name} exists"));
            draft.help(format!("write `CREATE TABLE IF NOT EXISTS {name} AS SELECT …`"));
            let unlogged =
                if statement.part(Span::new(into.end, span.start)).has_word("unlogged") { "UNLOGGED " } else { "" };
            let create = guard::cased(&format!("CREATE {unlogged}TABLE IF NOT EXISTS "), guard::is_lower(statement));
            let written = span.text(context.text);
            let head = format!("{create}{written}{}", guard::cased(" AS ", guard::is_lower(statement)));
            // With the blank behind it.
            let blank = context.text.get(span.end..).is_some_and(|rest| rest.starts_with([' ', '\n']));
            let gone = Span::new(into.start, span.end + usize::from(blank));
            let edits = vec![Edit::insert(statement.span.start, head), Edit::replace(gone, "")];
            draft.fix(Fix::edits("write CREATE TABLE IF NOT EXISTS AS", edits));
        }
    }
}
