//! ADD COLUMN IF NOT EXISTS for a column that an earlier script made differently.

use super::super::alteration::alterations;
use super::super::context::Context;
use super::super::finding::Found;
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::shape::flat;
use super::super::statement::Statement;
use super::super::witness;
use crate::sql::{ActionKind, Name, Span};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "shadowed-column",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "ADD COLUMN IF NOT EXISTS for a column that an earlier script made differently",
    effect: "The guard lies: the column exists, so type, default, references and checks of the statement never arrive.",
    remedy: "Write ALTER COLUMN and ADD CONSTRAINT for the difference.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in alterations(context, ActionKind::AddColumn) {
        let (Some(table), Some(column)) = (&statement.head.name, &action.name) else { continue };
        if !action.if_not_exists || dropped_above(context, statement, column.object()) {
            continue;
        }
        if drops_its_key(context, statement, table, action.span) {
            let message =
                format!("a second run drops the primary key of {table} and does not add it again: {column} exists");
            let draft = found.report(&RULE, action.span, message);
            // Both or neither. Where the column may be there before the first run, that is for the author to say.
            let alone = statement.actions.iter().any(|other| other.kind == ActionKind::DropConstraint);
            let new =
                context.table(table, statement).is_some_and(|known| known.column_named(column.object()).is_none());
            if new && !alone {
                draft.fix(witness::group(context));
            } else if new {
                draft.fix(guard::test(statement, &guard::Test::column(false, table, column.object())));
            }
        }
        let Some(known) = context.table(table, statement) else { continue };
        let Some(known) = known.column_named(column.object()) else { continue };
        let mut tokens = statement.part(action.span);
        tokens.skip_past("exists");
        tokens.eat_name();
        let new = flat(tokens);
        let first = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
        let has = |text: &str, word: &str| text.split(' ').any(|part| part == word);
        let adds = ["references", "check", "unique", "default", "not"]
            .iter()
            .find(|word| has(&new, word) && !has(&known.definition, word));
        if first(&new) != known.type_word() || adds.is_some() {
            let message = format!(
                "the guard lies: an earlier script made {column} of {table} as `{}`, so nothing happens",
                known.definition
            );
            found.report(&RULE, action.span, message);
        }
    }
}

fn dropped_above(context: &Context<'_>, statement: &Statement<'_>, column: &str) -> bool {
    context.before(statement).any(|other| {
        other.head.name == statement.head.name
            && other.actions.iter().any(|action| {
                action.kind == ActionKind::DropColumn
                    && action.name.as_ref().is_some_and(|name| name.object() == column)
            })
    })
}

/// `DROP CONSTRAINT IF EXISTS t_pkey, ADD COLUMN IF NOT EXISTS id … PRIMARY KEY`: the guard keeps the key away.
fn drops_its_key(context: &Context<'_>, statement: &Statement<'_>, table: &Name, added: Span) -> bool {
    let key = format!("{}_pkey", table.object());
    let drops = |other: &Statement<'_>| {
        other.head.name.as_ref() == Some(table)
            && !other.is_guarded()
            && other.actions.iter().any(|action| {
                action.kind == ActionKind::DropConstraint
                    && action.name.as_ref().is_some_and(|name| name.object() == key)
            })
    };
    statement.part(added).has_words(&["primary", "key"]) && (drops(statement) || context.before(statement).any(drops))
}
