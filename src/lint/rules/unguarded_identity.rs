//! ADD GENERATED AS IDENTITY without a test.

use super::super::alteration::alterations;
use super::super::context::Context;
use super::super::facts::dropped;
use super::super::finding::Found;
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{ActionKind, Kind, Verb, quote_literal};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-identity",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "ADD GENERATED AS IDENTITY without a test",
    effect: "A second run stops with an error: the column is an identity column already.",
    remedy: "Put it into a `DO` block that asks pg_attribute.attidentity.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    let of_tables = context.statements.iter().filter(|statement| statement.head.kind == Some(Kind::Table));
    let all = of_tables.flat_map(|statement| statement.actions.iter().map(move |action| (statement, action)));
    for (statement, action) in all.filter(|(_, action)| action.kind == ActionKind::AlterColumn) {
        let (Some(table), Some(column)) = (&statement.head.name, &action.name) else { continue };
        let adds = statement.part(action.span).has_words(&["add", "generated"]);
        if !adds {
            continue;
        }
        let literal = |text: &str| quote_literal(context.dialect, text);
        let query = format!(
            "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass({}) AND attname = {} AND attidentity <> ''",
            literal(&table.to_string()),
            literal(column.object())
        );
        let test = guard::Test::query(false, &query);
        let message = format!("a second run fails: column {column} of {table} is an identity column");
        if !statement.is_guarded() && statement.caught().is_none() {
            found.report(&RULE, action.span, message.clone()).fix(guard::test(statement, &test));
        }
        // Its default cannot be touched any more either.
        for (other, default) in alterations(context, ActionKind::AlterColumn) {
            let same = other.span.start < statement.span.start
                && other.head.name.as_ref() == Some(table)
                && default.name.as_ref() == Some(column);
            if same && other.part(default.span).has_word("default") {
                found.report(&RULE, default.span, message.clone()).fix(guard::test(other, &test));
            }
        }
        // The serial's sequence goes, and the identity's own takes its name.
        let sequence = format!("{}_{}_seq", table.object(), column.object());
        for other in context
            .before(statement)
            .filter(|other| other.head.verb == Verb::Drop && other.head.kind == Some(Kind::Sequence))
        {
            let takes = dropped(other).iter().any(|name| name.object() == sequence);
            if takes && !other.is_guarded() && other.caught().is_none() {
                let message = format!("a second run fails: by then {sequence} belongs to column {column} of {table}");
                found.report(&RULE, other.head_span(), message).fix(guard::test(other, &test));
            }
        }
    }
}
